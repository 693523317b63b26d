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

/** What the transport said of one call. `retry` and `halt` promise that nothing was accepted; `unknown` promises nothing. */
export type SendOutcome =
  /** One id per mail, in order. */
  | { readonly kind: 'accepted'; readonly providerIds: readonly string[] }
  /** Nothing was sent, and the same bytes never will be: at least one of these mails is at fault. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** Not now; the same key and bytes may go again after the wait. */
  | { readonly kind: 'retry'; readonly after: Temporal.Duration; readonly reason: string }
  /** No mail can leave until somebody mends something (key, domain, quota): stop the issue and say so. */
  | { readonly kind: 'halt'; readonly reason: string }
  /** The provider may or may not have it. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** The way out. Each transport says how much it takes in one call and whether a call may be repeated. */
export type Transport = {
  readonly name: 'outbox' | 'resend' | 'smtp'
  /** At most this many mails in one call, and about this many bytes. */
  readonly most: { readonly mails: number; readonly bytes: number }
  /** Calls a second that the other side allows before it says otherwise; undefined where nobody counts. */
  readonly perSecond?: number
  /** Calls that may be in flight at once. */
  readonly concurrency: number
  /** Whether repeating a call under the same key and bytes is known to send nothing twice. */
  readonly repeatable: boolean
  /** Never throws for what a provider or a network can do; that is an outcome. */
  send(mails: readonly Mail[], idempotencyKey: string): Promise<SendOutcome>
  /** Waits for what is in flight and lets go of connections. */
  close(): Promise<void>
}
