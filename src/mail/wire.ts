/** What all mails of a batch have in common on the wire, besides the edition. */
export type WireFacts = {
  readonly from: string
  readonly replyTo: string | undefined
  readonly publicUrl: string
}
