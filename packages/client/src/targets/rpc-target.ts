// What users extend and wrap to pass objects by reference.

/** Base class of objects that are passed by reference: the receiver gets a stub, and calls on it come back here. */
export class RpcTarget {
  // Keeps structural typing from taking any class for a target.
  declare protected readonly __RPC_TARGET_BRAND: never;
}
