import type { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { parseAddress } from './address.ts'
import { type Added, addSubscriber } from './subscriber.ts'

type Deps = { db: Kysely<Database>; clock: Clock }

/** What became of an import, row by row where a row was refused. `unusable`: the file is no list of readers. */
export type Imported =
  | {
      readonly kind: 'imported'
      readonly added: number
      readonly known: number
      readonly left: number
      readonly suppressed: number
      readonly refused: readonly { readonly line: number; readonly problem: string }[]
    }
  | { readonly kind: 'unusable'; readonly problem: string }

const row = z.object({
  info: z.object({ lines: z.number() }),
  record: z.object({ address: z.string().default(''), consent: z.string().default('') }),
})

/**
 * Adds confirmed readers from CSV (RFC 4180, UTF-8) with the columns `address` and `consent`. Rows are read one by one,
 * so memory does not grow with the file; a row that is refused leaves the others alone.
 */
export async function importSubscribers(deps: Deps, source: Readable): Promise<Imported> {
  const parser = source.pipe(
    parse({ bom: true, columns: (names) => headerOf(names), info: true, trim: true, skip_empty_lines: true }),
  )
  source.on('error', (error) => parser.destroy(error))
  const counts: Record<Added, number> = { added: 0, 'already confirmed': 0, 'left before': 0, suppressed: 0 }
  const refused: { line: number; problem: string }[] = []
  try {
    for await (const raw of parser) {
      const { info, record } = row.parse(raw)
      const outcome = await addRow(deps, record)
      if (outcome.ok) counts[outcome.added]++
      else refused.push({ line: info.lines, problem: outcome.problem })
    }
  } catch (error) {
    if (error instanceof CsvError || error instanceof BadHeader)
      return { kind: 'unusable', problem: error.message }
    throw error
  }
  const { added, suppressed } = counts
  return {
    ...{ kind: 'imported', added, suppressed, refused },
    ...{ known: counts['already confirmed'], left: counts['left before'] },
  }
}

class BadHeader extends Error {}

function headerOf(names: readonly string[]): string[] {
  const lower = names.map((name) => name.trim().toLowerCase())
  const missing = ['address', 'consent'].filter((name) => !lower.includes(name))
  if (missing.length > 0)
    throw new BadHeader(
      `the header line lacks the column ${missing.join(' and ')}; expected: address,consent`,
    )
  return lower
}

async function addRow(
  deps: Deps,
  { address, consent }: { address: string; consent: string },
): Promise<{ ok: true; added: Added } | { ok: false; problem: string }> {
  const parsed = parseAddress(address)
  if (!parsed.ok) return { ok: false, problem: `"${address}" is no address: ${parsed.problem}` }
  if (consent === '') return { ok: false, problem: `no consent is given for ${parsed.address}` }
  return { ok: true, added: await addSubscriber(deps, parsed.address, { method: 'import', detail: consent }) }
}
