import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Issue } from '../issue/issue.ts'
import { owedCorrections } from './last-told.ts'
import { type Account, accountOf } from './report.ts'

/** A row of the ledger that breaks an invariant of DESIGN.md, by its number; 6 is that of corrections. */
export type Violation = { readonly invariant: number; readonly what: string }

export type Reconciliation = {
  readonly week: string
  readonly account: Account
  readonly violations: readonly Violation[]
}

/**
 * Proves the ledger's invariants for one issue from the tables alone, or names each row that breaks one: the five of
 * DESIGN.md, and that each mail corrects exactly what its reader was told otherwise before the issue was planned.
 */
export async function reconcileIssue(db: Kysely<Database>, issue: Issue): Promise<Reconciliation> {
  const violations: Violation[] = []
  for (const { invariant, query } of [...checks(issue), await correctionCheck(db, issue)]) {
    const { rows } = await query.execute(db)
    violations.push(...rows.map(({ what }) => ({ invariant, what })))
  }
  return { week: issue.week, account: await accountOf(db, issue.id), violations }
}

type Check = { readonly invariant: number; readonly query: RawBuilder<{ what: string }> }

function checks({ id }: Issue): readonly Check[] {
  return [
    {
      invariant: 1,
      query: sql`
        select 'planned ' || i.planned || ' deliveries, but ' || count(d.subscriber_id) || ' are there' as what
          from issue i left join delivery d on d.issue_id = i.id
         where i.id = ${id} group by i.id having i.planned <> count(d.subscriber_id)`,
    },
    {
      invariant: 1,
      query: sql`
        select 'delivery to reader ' || d.subscriber_id || ' has no batch of its issue' as what
          from delivery d left join batch b on b.id = d.batch_id and b.issue_id = d.issue_id
         where d.issue_id = ${id} and d.batch_id is not null
           and (b.id is null or (b.state = 'split' and d.exception is null))`,
    },
    {
      invariant: 1,
      query: sql`
        select 'delivery to reader ' || d.subscriber_id || ', who does not exist' as what
          from delivery d left join subscriber s on s.id = d.subscriber_id
         where d.issue_id = ${id} and s.id is null`,
    },
    {
      invariant: 1,
      query: sql`
        select 'attempt ' || a.id || ' is on batch ' || a.batch_id || ', which does not exist' as what
          from attempt a left join batch b on b.id = a.batch_id where b.id is null`,
    },
    {
      invariant: 1,
      query: sql`
        select 'the issue is ' || i.state || ', but batch ' || b.id || ' is ' || b.state as what
          from issue i join batch b on b.issue_id = i.id
         where i.id = ${id} and i.state in ('sent', 'partly sent') and b.state in ('built', 'attempting', 'unknown')`,
    },
    {
      invariant: 2,
      query: sql`
        select 'delivery ' || min(d.subscriber_id) || ' and ' || max(d.subscriber_id) || ' went to one mailbox' as what
          from delivery d join batch b on b.id = d.batch_id
         where d.issue_id = ${id} and b.state = 'accepted' and d.exception is null and d.address is not null
         group by d.address having count(*) > 1`,
    },
    {
      invariant: 2,
      query: sql`
        select 'batch ' || b.id || ' was accepted, but the provider''s ids do not match its members' as what
          from batch b left join delivery d on d.batch_id = b.id and d.issue_id = b.issue_id and d.exception is null
         where b.issue_id = ${id} and b.state = 'accepted'
         group by b.id
        having (count(d.subscriber_id) filter (where b.provider_ids[d.slot] is not null) <> count(d.subscriber_id)
                and not exists (select from decision x where x.batch_id = b.id and x.what = 'confirm'))
            or count(d.subscriber_id) filter (where b.provider_ids[d.slot] is not null) <>
               (select count(p) from unnest(b.provider_ids) p where p is not null)`,
    },
    {
      invariant: 2,
      query: sql`
        select 'batch ' || a.batch_id || ' was accepted ' || count(*) || ' times' as what
          from attempt a join batch b on b.id = a.batch_id
         where b.issue_id = ${id} and a.outcome = 'accepted'
         group by a.batch_id having count(*) > 1`,
    },
    {
      invariant: 3,
      query: sql`
        select 'attempt ' || a.id || ' on batch ' || b.id || ' was claimed after reader ' || e.subscriber_id || ' left' as what
          from attempt a join batch b on b.id = a.batch_id
          join consent_event e on e.subscriber_id = any (a.members) and e.at < a.started_at
           and e.kind in ('unsubscribed', 'paused', 'erased')
         where b.issue_id = ${id} and not exists (
           -- A claim takes its time, then waits for a reader who is just coming back: that counts as back in time.
           select from consent_event back
            where back.subscriber_id = e.subscriber_id and back.id > e.id
              and back.at <= coalesce(a.finished_at, a.started_at + interval '90 seconds')
              and back.kind in ('confirmed', 'imported', 'resumed', 'resubscribed'))`,
    },
    {
      invariant: 3,
      query: sql`
        select 'attempt ' || a.id || ' on batch ' || b.id || ' was claimed after reader ' || d.subscriber_id
               || ' was suppressed' as what
          from attempt a join batch b on b.id = a.batch_id
          join delivery d on d.issue_id = b.issue_id and d.subscriber_id = any (a.members)
          join suppression x on x.address = d.address and x.since < a.started_at
         where b.issue_id = ${id}`,
    },
    {
      invariant: 4,
      query: sql`
        select 'batch ' || b.id || ' carries edition ' || b.edition_hash || ', which was not the one approved' as what
          from batch b join issue i on i.id = b.issue_id
         where i.id = ${id} and b.edition_hash is distinct from i.approved_hash
           and not exists (select from edition e where e.hash = b.edition_hash and e.variant_of = i.approved_hash)`,
    },
    {
      invariant: 4,
      query: sql`
        select 'edition ' || e.hash || ' does not have the bytes of its hash' as what
          from edition e
         where e.issue_id = ${id} and e.hash <> encode(sha256(convert_to(
           e.subject || E'\\x1e' || e.preheader || E'\\x1e' || e.html || E'\\x1e' || e.text, 'UTF8')), 'hex')`,
    },
    {
      invariant: 5,
      query: sql`
        select 'comparison ' || c.slug || ' is also in issue ' || o.week as what
          from issue_comparison mine
          join issue_comparison other
            on other.comparison_id = mine.comparison_id and other.issue_id <> mine.issue_id and other.counts
          join issue o on o.id = other.issue_id
          join comparison c on c.id = mine.comparison_id
         where mine.issue_id = ${id} and mine.counts`,
    },
  ]
}

async function correctionCheck(db: Kysely<Database>, { id, planned_at }: Issue): Promise<Check> {
  const owed = await owedCorrections(db, id, planned_at ?? undefined)
  return {
    invariant: 6,
    query: sql`
      with owed as materialized (${owed ?? sql`select null::bigint as subscriber_id, null as keys where false`})
      select 'reader ' || d.subscriber_id || ' needed ' || coalesce('the corrections ' || owed.keys, 'no correction')
             || ' and got ' || coalesce(got.keys, 'none') as what
        from delivery d join batch b on b.id = d.batch_id
        left join owed on owed.subscriber_id = d.subscriber_id
        left join (
          select t.edition_hash, string_agg(t.comparison_id || '.' || t.corrects, ',' order by c.place) as keys
            from edition_tells t left join issue_correction c
              on c.issue_id = ${id} and c.comparison_id = t.comparison_id and c.told_revision = t.corrects
           where t.corrects is not null group by t.edition_hash) got on got.edition_hash = b.edition_hash
       where d.issue_id = ${id} and b.state = 'accepted' and d.exception is null
         and owed.keys is distinct from got.keys
       order by d.subscriber_id`,
  }
}
