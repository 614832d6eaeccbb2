#!/bin/sh
# Builds build/server and build/client, where they are not there already. Needs g++ and Cap'n Proto (on Debian: capnproto
# and libcapnp-dev).
set -eu
cd "$(dirname "$0")"
mkdir -p build
if [ ! build/calculator.capnp.h -nt calculator.capnp ]; then
  capnp compile -oc++:build calculator.capnp
  rm -f build/server build/client
fi
for program in server client; do
  if [ build/$program -nt $program.c++ ]; then continue; fi
  g++ -std=c++17 -O1 -Wall -Ibuild -o build/$program.new $program.c++ build/calculator.capnp.c++ \
    -lcapnp-rpc -lcapnp -lkj-async -lkj
  mv build/$program.new build/$program
done
