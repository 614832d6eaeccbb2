# What a recording of links holds: behind the line "capstan recording 1" one Record after the other, each a message in
# the standard stream framing. `tail -n +2 FILE | capnp decode schemas/recording.capnp Record` prints one.

@0x9f2ee4e7027d5b79;

struct Record @0x9a6586f6264d786c {
  # Something that happened on a link, as seen by the end that recorded it.

  microseconds @0 :UInt64;
  # Since the recording began.

  link @1 :UInt32;
  # Links are counted from 1, in the order in which they were made.

  union {
    made @2 :Text;
    # This end opens a link, or accepts one: who the other end is, for people.

    opened :group {
      batched @3 :Bool;
      # Whether frames may hold several messages.

      packed @7 :Bool;
      # Whether frames are packed on their way; those that are recorded are not.
    }

    sent @4 :Data;
    # A frame.

    received @5 :Data;

    closed @6 :Text;
    # The last record of a link: why it ended, for people.
  }
}
