import { type RawBuilder, sql } from 'kysely'

/**
 * What a comparison's document says of verdicts, prices and tools, as `jsonb`: revisions that differ in it may tell their
 * readers otherwise (`changesBetween` knows), those that do not never do. `document` is the column.
 */
export function factsIn(document: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(
    jsonb_path_query_array(${document}, '$.tools[*].slug') ||
    jsonb_path_query_array(${document}, '$.tools[*].entryPrice') ||
    jsonb_build_array(${document} #> '{tools,0,priceNote}', ${document} #> '{tools,1,priceNote}') ||
    jsonb_path_query_array(${document}, '$.tools[*].reviews.size()') ||
    jsonb_path_query_array(${document}, '$.tools[*].reviews[*].verdict'))`
}
