// Capstan over a packed link, as between two machines.
import { capstanPeer } from "./capstan.ts";

export const peer = capstanPeer("Capstan over a packed link", true);
