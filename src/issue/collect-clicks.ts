import { type Kysely, sql } from 'kysely'
import { groupCommit } from '../../db/group-commit.ts'
import type { AgentClass, Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { type Blur, dailyBlur } from './click-key.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly log: Log }

/** One following of a link, as it came in. Network and user agent are hashed before anything is stored. */
export type Hit = {
  readonly link: string
  readonly at: Temporal.Instant
  readonly network: string
  readonly userAgent: string
  readonly agent: AgentClass
  readonly head: boolean
}

export type ClickCollector = {
  /** Returns at once. */
  count(hit: Hit): void
  /** Returns once what was counted before is stored or lost. */
  settled(): Promise<void>
}

/** What waits at most while the database is slow. Beyond that clicks are lost: no reader waits for a count. */
const mostWaiting = 10_000

/**
 * Stores clicks, those that came while one statement was under way with the next. Nobody waits for it, so a crash loses
 * the clicks of its last moments, and a database that is down those of its outage.
 */
export function collectClicks({ db, clock, log }: Deps): ClickCollector {
  const blurToday = dailyBlur({ db, clock })
  const keep = groupCommit<Hit>(async (hits) => store(db, hits, await blurToday()))
  const waiting = new Set<Promise<void>>()
  let lost = 0

  /** Says so at the first, and then at every thousandth: an outage is one thing to know, not one for each click. */
  function lose(error: unknown): void {
    lost += 1
    if (lost % 1_000 === 1) log.warn({ err: error, clicks: lost }, 'clicks are being lost')
  }

  return {
    count(hit) {
      if (waiting.size >= mostWaiting) {
        lose('too many wait for the database')
        return
      }
      const kept = keep(hit)
        .catch((error: unknown) => lose(error))
        .finally(() => waiting.delete(kept))
      waiting.add(kept)
    },
    async settled() {
      await Promise.all(waiting)
    },
  }
}

async function store(db: Kysely<Database>, hits: readonly Hit[], blur: Blur): Promise<void> {
  const rows = hits.map(({ link, at, network, userAgent, agent, head }) => ({
    ...{ link_id: link, at: at.toString(), agent, head },
    ...{ network: blur(network), visitor: blur(network, userAgent) },
  }))
  await sql`
    insert into click (link_id, at, network, visitor, agent, head)
    select link_id, at, network, visitor, agent, head
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as c(link_id text, at timestamptz, network bigint, visitor bigint, agent text, head boolean)`.execute(
    db,
  )
}
