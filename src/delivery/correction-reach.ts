import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import { followedIn, readChoice, wish } from './choice.ts'
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
    const isAway = choice === null
    const getsNothing = !isAway && (await whyNothing(db, issue, readChoice(choice))) !== undefined
    const what = isAway ? (paused ? 'paused' : 'gone') : getsNothing ? 'nothing' : 'told'
    count(keys.split(','), what, readers)
  }
  return reach
}

/** Readers who need a correction by what they need and choose; the choice is null where they are not in the audience. */
async function standings(db: Kysely<Database>, issueId: number) {
  const owed = await owedCorrections(db, issueId)
  if (!owed) return []
  const { rows } = await sql<{ choice: string | null; keys: string; paused: boolean; readers: number }>`
    with owed as materialized (${owed})
    select case when s.status = 'confirmed' and x.id is null then ${wish} end as choice,
           owed.keys, s.status = 'paused' as paused, count(*)::int as readers
      from owed
      join subscriber s on s.id = owed.subscriber_id
      left join suppression x on x.address = s.address
      left join lateral (${followedIn(issueId)}) f on s.cadence = 'followed'
     group by 1, 2, 3`.execute(db)
  return rows
}
