// Cap'n Proto's own C++ library over TCP, both ends and the loop in C++.
import { cppPeer } from "../cpp/adder.ts";

export const peer = cppPeer("tcp", "Cap'n Proto C++ over TCP, both ends in C++");
