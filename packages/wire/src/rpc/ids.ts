// The direction of an id is a type. An id that we allocate and an id that the peer allocated never mix; only
// `decode.ts` turns the sender's view of an id into the receiver's.

declare const brand: unique symbol;
type Id<Name extends string> = number & { readonly [brand]: Name };

/** Names a call that we made: allocated by us. */
export type QuestionId = Id<"question">;
/** Names a call that the peer made: allocated by the peer (its QuestionId). */
export type AnswerId = Id<"answer">;
/** Names a capability that we host and the peer holds: allocated by us. */
export type ExportId = Id<"export">;
/** Names a capability that the peer hosts and we hold: allocated by the peer (its ExportId). */
export type ImportId = Id<"import">;
/** Names an embargo that waits for its Disembargo to come back: allocated by us. */
export type EmbargoId = Id<"embargo">;
