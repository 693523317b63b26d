import type { Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { type Correction, correctionKey } from '../issue/correction.ts'

/** What an edition says of a comparison: its revision, and of which one it is the correction, where it is one. */
export type Tells = {
  readonly comparison_id: number
  readonly revision: number
  readonly corrects: number | null
}

/** A comparison that is in an edition, as it is set there. */
export type Member = { readonly comparison_id: number; readonly revision: number }

/** What an edition tells that has these comparisons in it, and the corrections with these keys. */
export function tellsOf(
  members: readonly Member[],
  corrections: readonly Correction[],
  keys: readonly string[],
): readonly Tells[] {
  const told = corrections.filter((correction) => keys.includes(correctionKey(correction)))
  const corrected = told.map(({ comparisonId, fromRevision, revision }) => ({
    ...{ comparison_id: comparisonId, revision, corrects: fromRevision },
  }))
  const inFull = members.map(({ comparison_id, revision }) => ({ comparison_id, revision, corrects: null }))
  return [
    ...inFull.filter((one) => corrected.every(({ comparison_id }) => comparison_id !== one.comparison_id)),
    ...corrected,
  ]
}

/** Writes down what a planned edition tells. The same bytes may have been set from an earlier revision, before the draft was made again. */
export async function keepTells(
  db: Transaction<Database>,
  edition_hash: string,
  tells: readonly Tells[],
): Promise<void> {
  if (tells.length === 0) return
  await db
    .insertInto('edition_tells')
    .values(tells.map((one) => ({ edition_hash, ...one })))
    .onConflict((oc) =>
      oc.columns(['edition_hash', 'comparison_id']).doUpdateSet((eb) => ({
        revision: eb.ref('excluded.revision'),
        corrects: eb.ref('excluded.corrects'),
      })),
    )
    .execute()
}
