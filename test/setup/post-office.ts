import type { Mail, SendOutcome, Transport } from '../../src/mail/email.ts'

/** A transport that keeps what it accepted, and answers as the test wants it to. */
export type PostOffice = Transport & {
  /** Every mail that was accepted, in order; a mail accepted twice is here twice. */
  readonly accepted: Mail[]
  /** Every call, with its key, whatever the answer. */
  readonly calls: { readonly key: string; readonly to: readonly string[] }[]
  sentTo(): string[]
  /** The answers to the next calls, in order; afterwards everything is accepted. */
  answerNext(...answers: Answer[]): void
}

/** An outcome, or a function of the mails: `deliver` tells whether the witness keeps them although the caller hears otherwise. */
export type Answer =
  | SendOutcome
  | ((
      mails: readonly Mail[],
    ) => { outcome: SendOutcome; deliver: boolean } | Promise<{ outcome: SendOutcome; deliver: boolean }>)

/** Accepts everything, remembers keys as Resend does, and takes up to `mails` in a call. */
export function openPostOffice(changes: Partial<Transport> = {}): PostOffice {
  const accepted: Mail[] = []
  const calls: { key: string; to: readonly string[] }[] = []
  const answers: Answer[] = []
  const known = new Map<string, readonly string[]>()

  function deliver(mails: readonly Mail[], key: string): readonly string[] {
    const before = known.get(key)
    if (before) return before
    accepted.push(...mails)
    const ids = mails.map((mail) => `id-${mail.id}`)
    known.set(key, ids)
    return ids
  }

  return {
    name: 'resend',
    most: { mails: 100, bytes: 4_000_000 },
    concurrency: 1,
    repeatable: true,
    accepted,
    calls,
    sentTo: () => accepted.map((mail) => mail.to).sort(),
    answerNext: (...next) => answers.push(...next),
    async send(mails, key) {
      calls.push({ key, to: mails.map((mail) => mail.to) })
      const answer = answers.shift()
      if (answer === undefined) return { kind: 'accepted', providerIds: deliver(mails, key) }
      if (typeof answer !== 'function') return answer
      const { outcome, deliver: isDelivered } = await answer(mails)
      if (isDelivered) deliver(mails, key)
      return outcome
    },
    close: async () => {},
    ...changes,
  }
}
