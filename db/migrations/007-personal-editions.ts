import { type Kysely, sql } from 'kysely'

/** Editions for those who want less than everything, and readers who get nothing of an issue, with the reason. */
export async function up(db: Kysely<any>): Promise<void> {
  // A variant is set from the same comparisons, at the same revisions, as the edition that was approved.
  await sql`
    alter table edition
      add column variant_of text,
      add foreign key (issue_id, variant_of) references edition (issue_id, hash)`.execute(db)

  await sql`
    alter table delivery
      alter column batch_id drop not null,
      alter column slot drop not null,
      add check ((batch_id is null) = (slot is null)),
      add check (batch_id is not null or exception = 'excluded')`.execute(db)

  await sql`
    create or replace view delivery_state as
    select d.issue_id, d.subscriber_id, d.address, d.batch_id, d.slot,
           coalesce(d.exception, case b.state
             when 'built' then 'planned'
             when 'split' then 'planned'
             when 'empty' then 'excluded'
             else b.state end) as state,
           coalesce(d.reason, b.reason) as reason,
           case when d.exception is null then b.provider_ids[d.slot] end as provider_id
      from delivery d left join batch b on b.id = d.batch_id`.execute(db)
}
