# How JavaScript objects are called over Cap'n Proto: the interface that Cloudflare's runtime (workerd) has between its
# isolates. Ids and layouts are workerd's, as far as Capstan uses them, so that an adapter has nothing to translate.
# Names and comments are ours where workerd's are not on the wire.

@0xd7e055f86a9cecc7;

interface ExternalPusher @0xee2eb0d2e1aad430 {
  # Takes streams and signals before the call whose value mentions them, so that their content is not a round trip late.

  pushByteStream @0 (lengthPlusOne :UInt64) -> (source :InputStream, sink :ByteStream);
  # The caller writes into `sink`, and mentions `source` in a value. `lengthPlusOne` is 0 where nobody knows the length.

  pushAbortSignal @1 () -> (signal :AbortSignal, trigger :AbortTrigger);
  # The caller keeps `trigger`, and mentions `signal` in a value.

  pushDelayedChannelToken @2 () -> ();
  # Within one runtime only.

  interface InputStream {
    # What `pushByteStream` made: only good for being mentioned.
  }

  interface AbortSignal {
    # What `pushAbortSignal` made: only good for being mentioned.
  }
}

interface AbortTrigger @0x8dec253e6cb36e31 {
  abort @0 (reason :JsValue);
  # Aborts the signal with a reason.

  release @1 ();
  # It will never abort. Dropping the trigger without this aborts the signal: its owner is lost.
}

interface ByteStream @0xd2e7d8a0dc0a9766 {
  write @0 (bytes :Data) -> stream;
  end @1 ();
  # Without it the stream broke off.

  getSubstream @2 () -> ();
  startTls @3 () -> ();
  # Not used here.
}

interface JsRpcTarget @0xa1a96525142a9d98 extends(ExternalPusher) {
  # Anything that has methods and properties.

  call @0 CallParams -> CallResults;

  struct CallParams {
    union {
      methodName @0 :Text;
      methodPath @1 :List(Text);
      # Property by property, from the target. Of length 0: the target itself.
    }

    operation :union {
      callWithArgs @2 :JsValue;
      # One array: the arguments. Null: there are none.

      getProperty @3 :Void;
    }

    resultsStreamHandler :union {
      obsoleteStreamSink @4 :AnyPointer;

      externalPusher @5 :ExternalPusher;
      # Where the callee pushes the streams of its result.
    }
  }

  struct CallResults {
    result @0 :JsValue;

    callPipeline @1 :JsRpcTarget;
    # The result as a target, for calls pipelined on it. Needed for whatever has properties or is callable.

    hasDisposer @2 :Bool;
    # The result has a disposer of its own, which runs when the caller drops `callPipeline`.

    obsoleteStreamSink @3 :AnyPointer;
  }
}

struct JsValue @0x8c99bfdedd57f04a {
  v8Serialized @0 :Data;
  # In the format of V8's ValueSerializer.

  externals @1 :List(External);
  # What bytes cannot carry, in the order in which the value mentions it.

  struct External {
    union {
      invalid @0 :Void;

      rpcTarget :group {
        cap @1 :JsRpcTarget;
        channelToken @13 :Data;
        # Within one runtime only.
      }

      writableStream :group {
        byteStream @2 :ByteStream;
        encoding @3 :StreamEncoding;
      }

      readableStream :group {
        stream @4 :ExternalPusher.InputStream;
        encoding @5 :StreamEncoding;
        expectedLength :union {
          unknown @6 :Void;
          known @7 :UInt64;
        }
      }

      obsoleteAbortTrigger @8 :Void;
      subrequestChannelToken @9 :Data;
      actorClassChannelToken @10 :Data;

      abortSignal @11 :ExternalPusher.AbortSignal;

      token8 @12 :Data;
      token9 @14 :Data;
      socket @15 :AnyPointer;
      # Not used here, but their numbers are taken.
    }
  }

  enum StreamEncoding {
    identity @0;
    gzip @1;
    brotli @2;
  }
}
