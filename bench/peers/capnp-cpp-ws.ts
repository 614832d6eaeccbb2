// Cap'n Proto's own C++ library over its WebSocket stream, both ends and the loop in C++.
import { cppPeer } from "../cpp/adder.ts";

export const peer = cppPeer("ws", "Cap'n Proto C++ over its WebSocket stream, both ends in C++");
