import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { WorkDeps } from '../../../jobs/work.ts'
import type { Claim } from '../../../src/delivery/claim.ts'
import { openForSending } from '../../../src/delivery/send.ts'
import { findIssue, type Issue } from '../../../src/issue/issue.ts'
import type { SendOutcome } from '../../../src/mail/email.ts'
import { clockAt, type MovableClock } from '../../setup/clock.ts'
import { drafted } from '../../setup/drafted.ts'
import { newsletterWith } from '../../setup/newsletter.ts'
import { reader } from '../../setup/people.ts'
import { openPostOffice } from '../../setup/post-office.ts'

/** A claim that some worker holds, and the step in which it was made. */
export type InHand = { readonly claim: Claim; readonly step: number }

/** A frozen issue to five readers in batches of two, a clock to move, and a provider that keeps its word about keys. */
export type World = {
  readonly deps: WorkDeps
  readonly clock: MovableClock
  readonly issue: Issue
  readonly readers: readonly { readonly id: number; readonly publicId: string; readonly address: string }[]
  /** Claims whose call has not been made, or whose answer nobody has written down. */
  readonly inHand: InHand[]
  /** Calls of workers that are dead, which may still arrive. */
  readonly zombies: InHand[]
  readonly provider: Provider
  /** The step in which each reader left, by id. */
  readonly left: Map<number, number>
  step: number
}

type Provider = {
  /** Takes a call as Resend would: replays a known key, refuses other members under it. */
  take(call: InHand): SendOutcome
  knows(key: string): boolean
  /** Finds these mails at fault, now and whenever they come again: validation looks at nothing but the bytes. */
  refuse(call: InHand): SendOutcome
  /** After 24 h every key is forgotten. */
  forget(): void
  readonly accepted: { readonly readerId: number; readonly claimedInStep: number; readonly id: string }[]
  /** Calls under a key with other members than before, ever (I5). */
  otherBytes: number
}

let worlds = 0

/** Makes a world in a database that others were made in before: in a week of its own, with readers of its own. */
export async function makeWorld(db: Kysely<Database>): Promise<World> {
  worlds += 1
  const week = `${2100 + Math.floor(worlds / 40)}-W${10 + (worlds % 40)}`
  const unsubscribed_at = Temporal.Instant.from('2026-01-06T12:00:00Z')
  await db.updateTable('subscriber').set({ status: 'unsubscribed', unsubscribed_at }).execute()
  await drafted(db, week)
  const names = ['ann', 'bob', 'cleo', 'dora', 'emil']
  const readers = []
  for (const name of names) readers.push(await reader(db, `${name}-${worlds}`))

  const due = (await findIssue(db, week))?.due_at
  const clock = clockAt(String(due))
  const mail = openPostOffice({ most: { mails: 2, bytes: 4_000_000 } })
  const deps = newsletterWith({ db }, { clock, transport: mail })
  const ready = await openForSending(deps, week, { early: true })
  if (ready.kind !== 'ready') throw new Error(`Not ready: ${JSON.stringify(ready)}`)
  return {
    ...{ deps, clock, readers, issue: ready.issue, inHand: [], zombies: [], left: new Map(), step: 0 },
    provider: openProvider(),
  }
}

function openProvider(): Provider {
  const keys = new Map<string, { members: string; ids: readonly string[] }>()
  const ever = new Map<string, string>()
  const atFault = new Set<string>()
  const provider: Provider = {
    accepted: [],
    otherBytes: 0,
    knows: (key) => keys.has(key),
    forget: () => keys.clear(),
    refuse(call) {
      atFault.add(membersOf(call))
      return rejected
    },
    take(call) {
      const { claim, step } = call
      const key = claim.idempotencyKey
      const members = membersOf(call)
      if ((ever.get(key) ?? members) !== members) provider.otherBytes += 1
      ever.set(key, members)
      const known = keys.get(key)
      if (known && known.members !== members)
        return { kind: 'unknown', reason: 'conflict: 409 invalid_idempotent_request' }
      if (known) return { kind: 'accepted', providerIds: known.ids }
      if (atFault.has(members)) return rejected
      const ids = claim.members.map(({ subscriberId }) => `id-${provider.accepted.length}-${subscriberId}`)
      for (const [index, { subscriberId }] of claim.members.entries())
        provider.accepted.push({ readerId: subscriberId, claimedInStep: step, id: ids[index] ?? '' })
      keys.set(key, { members, ids })
      return { kind: 'accepted', providerIds: ids }
    },
  }
  return provider
}

const rejected: SendOutcome = { kind: 'rejected', reason: '422 validation_error' }

function membersOf({ claim }: InHand): string {
  return claim.members.map(({ subscriberId }) => subscriberId).join()
}
