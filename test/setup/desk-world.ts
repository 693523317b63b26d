import { runDraft } from '../../jobs/draft-issue.ts'
import { rollUp } from '../../jobs/roll-up.ts'
import { noEdits } from '../../src/issue/edits.ts'
import { saveEdits } from '../../src/issue/save-edits.ts'
import { explainDeparture } from '../../src/subscriber/departure.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { clockAt, type MovableClock } from './clock.ts'
import { documentFor, publish } from './comparisons.ts'
import type { TestDatabase } from './database.ts'
import { deskOn } from './desk.ts'
import { issueInQuarantine } from './doubt.ts'
import { flaggedVotes } from './flagged.ts'
import { newsletterWith } from './newsletter.ts'
import { people } from './people.ts'
import { openPostOffice } from './post-office.ts'

/** A newsletter in which every page of the desk has something to show, and editors at its desk. */
export type DeskWorld = {
  readonly desk: ReturnType<typeof deskOn>
  readonly clock: MovableClock
  readonly ann: Awaited<ReturnType<typeof people.ann>>
  /** The week of an issue that went out, with a batch in doubt. */
  readonly sent: string
  readonly batchId: string
  /** A flag on votes of that issue. */
  readonly flagId: number
  /** The week of a draft that an editor has been at. */
  readonly drafted: string
  /** A comparison of that draft, in its second revision. */
  readonly slug: string
  /** From now on nothing works any more: the clock is broken. */
  breakDown(): void
}

/** Week 47 went out but for one batch, week 48 is a draft; one reader complained, and one left and said why. */
export async function deskWorld(
  database: TestDatabase,
  environment: Readonly<Record<string, string>> = {},
): Promise<DeskWorld> {
  const { db } = database
  const ann = await people.ann(db)
  await people.bobWhoComplained(db)
  const cleo = await people.cleo(db)
  const { batchId } = await issueInQuarantine(database, 'after they were taken')
  const flagId = await flaggedVotes(db)
  const clock = clockAt('2026-11-26T14:00:00Z')
  const mail = openPostOffice()
  const deps = newsletterWith(database, { clock, transport: mail })
  await unsubscribe(deps, cleo.publicId, 'page')
  await explainDeparture(deps, cleo.publicId, { why: 'too often', words: 'Once a month would do.' })
  const slug = 'loom'
  const publishedAt = '2026-11-25T14:00:00Z'
  await publish(db, documentFor(slug, { publishedAt }))
  await publish(db, documentFor(slug, { publishedAt, title: 'loom left against loom right' }))
  await publish(db, documentFor('sieve', { publishedAt }))
  await runDraft(deps, '2026-W48')
  const edits = { ...noEdits, intro: 'A note to **readers**.' }
  await saveEdits(deps, '2026-W48', { base: 0, by: 'eve@example.test', edits })
  await rollUp(deps)
  let isBroken = false
  const now = () => {
    if (isBroken) throw new Error('The clock is broken')
    return clock()
  }
  const desk = deskOn(database, { clock: now, mail, environment })
  const breakDown = () => {
    isBroken = true
  }
  return { desk, clock, ann, sent: '2026-W47', batchId, flagId, drafted: '2026-W48', slug, breakDown }
}
