/** One mail to one mailbox, ready for the wire. */
export type Mail = {
  /** Stable for ever and safe in a file name: the same mail has the same id on every attempt. */
  readonly id: string
  /** `Name <address>` or a bare address. */
  readonly from: string
  readonly replyTo?: string
  readonly to: string
  readonly subject: string
  readonly html: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  /** Come back in the provider's webhooks; names and values are `[A-Za-z0-9_-]{1,256}`. */
  readonly tags: Readonly<Record<string, string>>
}

/**
 * What the transport said of one call. `retry` and `halt` promise that nothing of this call was accepted; `unknown`
 * promises nothing. `perSecond` is the number of calls that the other side says it allows, where it says so.
 */
export type SendOutcome = (
  | Accepted
  /** Nothing was sent, and the same bytes never will be: at least one of these mails is at fault. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Not now; the same key and bytes may go again after the wait. */
  | { readonly kind: 'retry'; readonly after: Temporal.Duration; readonly reason: string }
  /** No mail can leave until somebody mends something (key, domain), or, where that is said, until the next day. */
  | { readonly kind: 'halt'; readonly reason: string; readonly until?: 'next day' }
  | Unknown
) & { readonly perSecond?: number }

/** One id per mail, in order. */
type Accepted = { readonly kind: 'accepted'; readonly providerIds: readonly string[] }

/** The provider may or may not have it. `again`: how often asking again can bring more to light; as long as the key holds, if not said. */
type Unknown = { readonly kind: 'unknown'; readonly reason: string; readonly again?: 'never' | 'once' }

/** One mail for many readers, with marks in the place of what differs. */
export type Merge = {
  /** Holds each mark wherever that value goes. Marks are letters and digits that occur nowhere else in it. */
  readonly pattern: Mail
  readonly marks: readonly string[]
}

/** Sends a merge to these readers, each with a value for every mark, in one call. */
export type SendMerged = (
  values: readonly (readonly string[])[],
  idempotencyKey: string,
) => Promise<SendOutcome>

/** The way out. Each transport says how much it takes in one call and whether a call may be repeated. */
export type Transport = {
  readonly name: 'outbox' | 'resend' | 'smtp'
  /** At most this many mails in one call, and about this many bytes. */
  readonly most: { readonly mails: number; readonly bytes: number }
  /** Calls a second that the other side surely allows, until it says how many; undefined where nobody counts. */
  readonly perSecond?: number
  /** Calls that may be in flight at once. */
  readonly concurrency: number
  /** Whether repeating a call under the same key and bytes is known to send nothing twice. */
  readonly repeatable: boolean
  /** Never throws for what a provider or a network can do; that is an outcome. */
  send(mails: readonly Mail[], idempotencyKey: string): Promise<SendOutcome>
  /** The same for one mail to many, where that is cheaper than a mail for each. Throws when the pattern itself cannot be sent. */
  merge?(merge: Merge): SendMerged
  /** Waits for what is in flight and lets go of connections. */
  close(): Promise<void>
}
