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
  info: z.object({ lines: z.number(), error: z.unknown() }),
  record: z.object({ address: z.string().default(''), consent: z.string().default('') }),
})

/**
 * Adds confirmed readers from CSV (RFC 4180, UTF-8) with the columns `address` and `consent`. Rows are read one by one,
 * so memory does not grow with the file; a row that is refused leaves the others alone. A quote that is never closed
 * ends the reading, some of what came before it being in already.
 */
export async function importSubscribers(deps: Deps, source: Readable): Promise<Imported> {
  let hasHeader = false
  const columns = (names: readonly string[]) => {
    hasHeader = true
    return headerOf(names)
  }
  const parser = source.pipe(
    parse({ bom: true, columns, info: true, trim: true, skip_empty_lines: true, relax_column_count: true }),
  )
  source.on('error', (error) => parser.destroy(error))
  const counts: Record<Added, number> = { added: 0, 'already confirmed': 0, 'left before': 0, suppressed: 0 }
  const refused: { line: number; problem: string }[] = []
  try {
    for await (const raw of parser) {
      const { info, record } = row.parse(raw)
      const outcome = info.error ? refuse(otherColumns) : await addRow(deps, record)
      if (outcome.ok) counts[outcome.added]++
      else refused.push({ line: info.lines, problem: outcome.problem })
    }
  } catch (error) {
    if (error instanceof BadHeader) return { kind: 'unusable', problem: error.message }
    if (!(error instanceof CsvError)) throw error
    refused.push({ line: Number(error.lines), problem: `${error.message}. ${cutShort}` })
  }
  if (!hasHeader && refused.length === 0) return { kind: 'unusable', problem: 'the file is empty' }
  const { added, suppressed } = counts
  return {
    ...{ kind: 'imported', added, suppressed, refused },
    ...{ known: counts['already confirmed'], left: counts['left before'] },
  }
}

const otherColumns = 'it has more or fewer columns than the header line; put text with a comma in quotes'

const cutShort = 'The file was not read to its end: mend it and import it again, nobody is added twice'

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
): Promise<{ ok: true; added: Added } | Refusal> {
  const parsed = parseAddress(address)
  if (!parsed.ok) return refuse(`"${address}" is no address: ${parsed.problem}`)
  if (consent === '') return refuse(`no consent is given for ${parsed.address}`)
  if (consent.includes('\0')) return refuse('the consent has a zero byte in it')
  return { ok: true, added: await addSubscriber(deps, parsed.address, { method: 'import', detail: consent }) }
}

type Refusal = { readonly ok: false; readonly problem: string }

function refuse(problem: string): Refusal {
  return { ok: false, problem }
}
