import { type Kysely, sql } from 'kysely'
import type { Database, ReviewVerdict } from '../../db/schema.ts'
import { documentFor, publish } from './comparisons.ts'
import { seeded } from './seeded.ts'

/** A tool to vote on, in the issue and comparison that it stood in. */
export type Poll = {
  readonly toolId: number
  readonly issueId: number
  readonly comparisonId: number
  /** The place of its comparison, 0 for the lead. */
  readonly place: number
  readonly mailedAt: Temporal.Instant
}

/** A reader as a crowd has them. */
export type Voter = { readonly id: number; readonly network: string; readonly confirmedAt: Temporal.Instant }

/** One vote, as it is to stand in the table. */
export type Ballot = {
  readonly voter: Voter
  readonly poll: Poll
  readonly verdict: ReviewVerdict
  readonly at: Temporal.Instant
}

const firstFriday = Temporal.Instant.from('2026-10-09T13:00:00Z')

/** Issues a week apart from 9 October 2026 on, 09:00 in New York, each with its comparisons. Returns their tools. */
export async function openPolls(
  db: Kysely<Database>,
  { issues, comparisons }: { issues: number; comparisons: number },
): Promise<readonly Poll[]> {
  const polls: Poll[] = []
  for (let week = 0; week < issues; week += 1) {
    const mailedAt = firstFriday.add({ hours: week * 168 })
    const issue = await db
      .insertInto('issue')
      .values({
        ...{ week: `2026-W${41 + week}`, state: 'cancelled', timezone: 'America/New_York' },
        ...{ draft_at: mailedAt.subtract({ hours: 24 }), due_at: mailedAt, planned_at: mailedAt },
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    for (let place = 0; place < comparisons; place += 1) {
      const slug = `week-${41 + week}-number-${place}`
      await publish(db, documentFor(slug, { publishedAt: mailedAt.subtract({ hours: 48 }).toString() }))
      const sides = await db
        .selectFrom('comparison as c')
        .innerJoin('comparison_tool as t', 't.comparison_id', 'c.id')
        .select(['c.id', 't.tool_id'])
        .where('c.slug', '=', slug)
        .orderBy('t.side')
        .execute()
      for (const { id, tool_id: toolId } of sides)
        polls.push({ toolId, issueId: issue.id, comparisonId: id, place, mailedAt })
      await db
        .insertInto('issue_comparison')
        .values({
          ...{ issue_id: issue.id, comparison_id: sides[0]?.id ?? 0, position: place + 1, revision: 1 },
        })
        .execute()
    }
  }
  return polls
}

/** Readers with these networks who confirmed then; with `form`, their sign-ups an hour before stand in the consent record. */
export async function join(
  db: Kysely<Database>,
  newcomers: readonly Omit<Voter, 'id'>[],
  form?: string,
): Promise<readonly Voter[]> {
  const given = JSON.stringify(newcomers.map(({ confirmedAt, network }) => ({ confirmedAt, network })))
  const { rows } = await sql<{ id: number }>`
    insert into subscriber (address, status, created_at, confirmed_at)
    select 'voter-' || n + (select count(*) from subscriber) || '@example.test', 'confirmed',
           (one ->> 'confirmedAt')::timestamptz, (one ->> 'confirmedAt')::timestamptz
      from jsonb_array_elements(${given}::jsonb) with ordinality as g (one, n) order by n
    returning id`.execute(db)
  const voters = newcomers.map((one, at) => ({ ...one, id: rows[at]?.id ?? 0 }))
  if (form)
    await db
      .insertInto('consent_event')
      .values(
        voters.map(({ id, network, confirmedAt }) => ({
          ...{ subscriber_id: id, kind: 'signed up' as const, at: confirmedAt.subtract({ hours: 1 }) },
          ...{ method: 'form', form_url: form, network, detail: null, wording: null },
        })),
      )
      .execute()
  return voters
}

/** What a crowd is like; shares of it, from 0 to 1. */
export type Crowd = {
  readonly readers: number
  /** Who votes at all on an issue. */
  readonly turnout: number
  /** Who would skip nearly everything, and who would ship nearly everything. */
  readonly haters: number
  readonly lovers: number
  /** Who votes on the lead only, and who on every tool. */
  readonly leadOnly: number
  readonly thorough: number
  /** Who opens the mail in the minutes after it comes, every week. */
  readonly prompt: number
  /** Who joined in the two days before the last issue. */
  readonly newcomers: number
}

/**
 * Honest voting: half within two hours of the mail and the rest over days with their nights; tools that are liked and
 * disliked, readers who are kind and harsh, by habit; offices, mobile networks and homes.
 */
export async function honestVotes(
  db: Kysely<Database>,
  polls: readonly Poll[],
  crowd: Crowd,
  seed: number,
): Promise<readonly Ballot[]> {
  const random = seeded(seed)
  const last = polls.at(-1)?.mailedAt ?? firstFriday
  const voters = await join(
    db,
    Array.from({ length: crowd.readers }, () => ({
      network: someNetwork(random),
      confirmedAt:
        random() < crowd.newcomers
          ? last.subtract({ minutes: Math.round(random() * 2880) })
          : firstFriday.subtract({ hours: 24 + Math.round(random() * 5000) }),
    })),
  )
  const appeal = new Map(polls.map(({ toolId }) => [toolId, 3 * random() - 1]))
  return voters.flatMap((voter) => {
    const habits = habitsOf(crowd, random)
    return [...Map.groupBy(polls, ({ issueId }) => issueId).values()].flatMap((issue) => {
      const mailedAt = issue[0]?.mailedAt ?? firstFriday
      if (random() > habits.turnout || Temporal.Instant.compare(voter.confirmedAt, mailedAt) > 0) return []
      let at = mailedAt.add({ seconds: Math.round(habits.isPrompt ? 60 + 540 * random() : delay(random)) })
      return issue.flatMap((poll): Ballot[] => {
        if (random() > habits.votesOn(poll.place)) return []
        at = at.add({ seconds: 5 + Math.round(25 * random()) })
        const liking = (appeal.get(poll.toolId) ?? 0) + habits.bias
        return [{ voter, poll, at, verdict: random() < 1 / (1 + Math.exp(-liking)) ? 'ship' : 'skip' }]
      })
    })
  })
}

/** Stores votes and their tallies at once, as they would stand after all were cast. */
export async function storeVotes(db: Kysely<Database>, ballots: readonly Ballot[]): Promise<void> {
  for (let from = 0; from < ballots.length; from += 10_000) {
    const rows = ballots.slice(from, from + 10_000).map(({ voter, poll, verdict, at }) => ({
      ...{ subscriber_id: voter.id, tool_id: poll.toolId, verdict, comparison_id: poll.comparisonId },
      ...{ issue_id: poll.issueId, at: at.toString(), network: voter.network },
    }))
    await sql`
      insert into vote (subscriber_id, tool_id, verdict, comparison_id, issue_id, cast_at, changed_at, turn, network)
      select subscriber_id, tool_id, verdict, comparison_id, issue_id, at, at, 1, network
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v (subscriber_id bigint, tool_id int, verdict text,
             comparison_id int, issue_id int, at timestamptz, network text)`.execute(db)
  }
  await sql`
    insert into vote_tally (tool_id, ship, skip, changed_at)
    select tool_id, count(*) filter (where verdict = 'ship'), count(*) filter (where verdict = 'skip'), max(changed_at)
      from vote group by tool_id
    on conflict (tool_id) do update set ship = excluded.ship, skip = excluded.skip`.execute(db)
}

function habitsOf(crowd: Crowd, random: () => number) {
  const temper = random()
  const bias =
    temper < crowd.haters ? -4 : temper < crowd.haters + crowd.lovers ? 4 : 1.5 * (random() + random() - 1)
  const reach = random()
  const isPrompt = random() < crowd.prompt
  return {
    ...{ bias, isPrompt, turnout: isPrompt ? 0.8 : crowd.turnout },
    votesOn(place: number): number {
      if (reach < crowd.leadOnly) return place === 0 ? 0.9 : 0
      if (reach < crowd.leadOnly + crowd.thorough) return 0.9
      return 0.5 / (1 + place)
    },
  }
}

/** Seconds after the mail: soon, or on one of the next days at some time when people are awake. */
function delay(random: () => number): number {
  if (random() < 0.55) return -5400 * Math.log(1 - random())
  const days = Math.min(6, Math.floor(-1.5 * Math.log(1 - random())))
  const hour = 10 * (random() + random()) - 2
  return Math.max(600, days * 86_400 + hour * 3600)
}

/** A home, one of thirty offices of very different sizes, or one of eight mobile networks. */
function someNetwork(random: () => number): string {
  const kind = random()
  if (kind < 0.6) return `10.${Math.floor(250 * random())}.${Math.floor(250 * random())}.0/24`
  if (kind < 0.7) return `2001:db8:${Math.floor(60_000 * random()).toString(16)}:1::/64`
  if (kind < 0.8) return `172.16.${Math.floor(30 * random() ** 3)}.0/24`
  return `192.168.${Math.floor(8 * random())}.0/24`
}
