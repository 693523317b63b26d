import type { Readable } from 'node:stream'
import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { addMany, type Fate, lastReaderId } from './add-many.ts'
import { type ListRow, NoList, readList } from './read-list.ts'
import type { SigningKey } from './token.ts'

type Deps = { readonly db: Kysely<Database>; readonly clock: Clock; readonly keys: readonly SigningKey[] }

/** What became of the rows. `elsewhere`: the list itself says that they are not subscribed. `refused`: no reader. */
export type Tally = Readonly<Record<RowFate, number>>
type RowFate = Fate | 'elsewhere' | 'refused'

/** A row that brought nobody in, and why. */
export type NotedRow = { readonly line: number; readonly fate: RowFate; readonly problem: string }

/** How an import went, with the first rows of each kind that brought nobody in. `unusable`: the file is no list of readers. */
export type Imported =
  | ({ readonly kind: 'imported'; readonly noted: readonly NotedRow[] } & Tally)
  | { readonly kind: 'unusable'; readonly problem: string }

export type ImportWish = {
  /** Does everything and takes it back, so that it tells exactly what would happen. Pending readers of the list wait meanwhile. */
  readonly dryRun?: boolean
  /** Called after each batch with the rows in it. */
  readonly onProgress?: (rows: number) => void
}

const batchSize = 1000
/** As many rows of a kind as a person would mend by hand; the rest is counted. */
const mostNoted = 20

/**
 * Adds confirmed readers from CSV with a consent column (see `readList`), a thousand rows in a statement: memory does not
 * grow with the file. A row that is refused leaves the others alone; run again, nobody is added twice.
 */
export async function importSubscribers(
  deps: Deps,
  source: Readable,
  wish: ImportWish = {},
): Promise<Imported> {
  if (!wish.dryRun) return importRows(deps, source, wish)
  const rehearsal = await deps.db.startTransaction().execute()
  try {
    return await importRows({ ...deps, db: rehearsal }, source, wish)
  } finally {
    await rehearsal.rollback().execute()
  }
}

async function importRows(deps: Deps, source: Readable, { onProgress }: ImportWish): Promise<Imported> {
  const ledger = openTally()
  const [at, since] = [deps.clock(), await lastReaderId(deps.db)]
  const take = async (rows: readonly ListRow[]) => {
    await takeIn(deps, rows, { at, since }, ledger.note)
    onProgress?.(rows.length)
  }
  let batch: ListRow[] = []
  try {
    for await (const row of readList(source)) {
      batch.push(row)
      if (batch.length === batchSize) await take(batch.splice(0))
    }
  } catch (error) {
    if (error instanceof NoList) return { kind: 'unusable', problem: error.message }
    throw error
  }
  if (batch.length > 0) await take(batch)
  batch = []
  return { kind: 'imported', ...ledger.tally, noted: ledger.noted }
}

async function takeIn(
  deps: Deps,
  rows: readonly ListRow[],
  { at, since }: { at: Temporal.Instant; since: number },
  note: (row: ListRow, fate: RowFate) => void,
): Promise<void> {
  const firsts = new Map<string, Extract<ListRow, { kind: 'reader' }>>()
  for (const row of rows) if (row.kind === 'reader' && !firsts.has(row.address)) firsts.set(row.address, row)
  const fates =
    firsts.size > 0 ? await addMany(deps, [...firsts.values()], at, since) : new Map<string, Fate>()
  for (const row of rows) note(row, row.kind === 'reader' ? fateOf(row, firsts, fates) : row.kind)
}

/** Of several rows with one address, the first is the one that counts. */
function fateOf(
  row: Extract<ListRow, { kind: 'reader' }>,
  firsts: ReadonlyMap<string, ListRow>,
  fates: ReadonlyMap<string, Fate>,
): Fate {
  const fate = fates.get(row.address) ?? 'known'
  return fate === 'added' && firsts.get(row.address) !== row ? 'repeated' : fate
}

function openTally() {
  const tally: Record<RowFate, number> = {
    ...{ added: 0, known: 0, repeated: 0, left: 0, suppressed: 0, erased: 0, elsewhere: 0, refused: 0 },
  }
  const noted: NotedRow[] = []
  const note = (row: ListRow, fate: RowFate) => {
    tally[fate] += 1
    if (fate === 'added' || fate === 'known' || tally[fate] > mostNoted) return
    noted.push({ line: row.line, fate, problem: problemOf(row, fate) })
  }
  return { tally, noted, note }
}

function problemOf(row: ListRow, fate: Exclude<RowFate, 'added' | 'known'>): string {
  switch (row.kind) {
    case 'refused':
      return row.problem
    case 'elsewhere':
      return `${row.address} is "${row.status}" in this list`
    case 'reader':
      return fate === 'erased' ? 'somebody who was erased' : `${row.address} ${reasons[fate]}`
  }
}

const reasons = {
  repeated: 'stood in an earlier line',
  left: 'left before, and can only come back themselves',
  suppressed: 'is suppressed and is never mailed',
  elsewhere: 'is not subscribed in this list',
  refused: 'was refused',
} as const
