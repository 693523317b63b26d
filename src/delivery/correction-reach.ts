import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import { audienceOf, readChoice } from './choice.ts'
import { owedCorrections } from './last-told.ts'
import { whyNothing } from './variant.ts'

/** How many readers were told otherwise and get a correction with this issue, and how many of the others do not, by why. */
export type CorrectionReach = {
  readonly told: number
  readonly paused: number
  /** They left, or must not be mailed. */
  readonly gone: number
  /** They are on the list, and get nothing of this issue. */
  readonly nothing: number
}

const nobody: CorrectionReach = { told: 0, paused: 0, gone: 0, nothing: 0 }

/** Whom each of an issue's corrections reaches, by its key, were the issue planned now. */
export async function correctionReach(
  db: Kysely<Database>,
  issue: Issue,
): Promise<ReadonlyMap<string, CorrectionReach>> {
  const reach = new Map<string, CorrectionReach>()
  const count = (keys: readonly string[], what: keyof CorrectionReach, readers: number) => {
    for (const key of keys) {
      const before = reach.get(key) ?? nobody
      reach.set(key, { ...before, [what]: before[what] + readers })
    }
  }
  for (const { choice, keys, paused, readers } of await standings(db, issue.id)) {
    if (choice === null) count(keys.split(','), paused ? 'paused' : 'gone', readers)
    else {
      const wish = readChoice(choice)
      count(wish.corrections, (await whyNothing(db, issue, wish)) ? 'nothing' : 'told', readers)
    }
  }
  return reach
}

/** Readers who need a correction by what they need and choose; the choice is null where they are not in the audience. */
async function standings(db: Kysely<Database>, issueId: number) {
  const owed = await owedCorrections(db, issueId)
  if (!owed) return []
  const { rows } = await sql<{ choice: string | null; keys: string; paused: boolean; readers: number }>`
    select a.choice, owed.keys, s.status = 'paused' as paused, count(*)::int as readers
      from (${owed}) owed
      join subscriber s on s.id = owed.subscriber_id
      left join (${await audienceOf(db, issueId)}) a on a.id = owed.subscriber_id
     group by 1, 2, 3`.execute(db)
  return rows
}
