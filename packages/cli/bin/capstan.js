#!/usr/bin/env -S node --initial-heap-size=96
import "../dist/main.js";
