import type { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { z } from 'zod'
import { parseAddress } from './address.ts'
import { withoutAddresses } from './consent.ts'

/** A row of a list, by its line in the file: somebody to add, somebody who is on that list and not subscribed, or no reader. */
export type ListRow = { readonly line: number } & (
  | { readonly kind: 'reader'; readonly address: string; readonly consent: string }
  | { readonly kind: 'elsewhere'; readonly address: string; readonly status: string }
  | { readonly kind: 'refused'; readonly problem: string }
)

/** Thrown when a file is no list of readers at all. */
export class NoList extends Error {}

/** More than any row needs: without it, a quote that is never closed would read a whole file into memory. */
const longestRow = 100_000

const row = z.object({
  info: z.object({ lines: z.number(), error: z.unknown() }),
  record: z.object({
    address: z.string().default(''),
    consent: z.string().default(''),
    status: z.string().default(''),
  }),
})

/**
 * Reads CSV (RFC 4180, UTF-8) with the columns `address` and `consent`, and perhaps `status`, row by row. A quote that is
 * never closed ends the reading with a refused row.
 */
export async function* readList(source: Readable): AsyncGenerator<ListRow> {
  let hasHeader = false
  const columns = (names: readonly string[]) => {
    hasHeader = true
    return headerOf(names)
  }
  const parser = source.pipe(
    parse({
      ...{ bom: true, columns, info: true, trim: true, skip_empty_lines: true, relax_column_count: true },
      max_record_size: longestRow,
    }),
  )
  source.on('error', (error) => parser.destroy(error))
  try {
    for await (const raw of parser) yield rowOf(row.parse(raw))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    hasHeader = true
    yield { kind: 'refused', line: Number(error.lines), problem: `${error.message}. ${cutShort}` }
  }
  if (!hasHeader) throw new NoList('the file is empty')
}

const otherColumns = 'it has more or fewer columns than the header line; put text with a comma in quotes'

const cutShort = 'The file was not read to its end: mend it and import it again, nobody is added twice'

function headerOf(names: readonly string[]): string[] {
  const lower = names.map((name) => name.trim().toLowerCase())
  const missing = ['address', 'consent'].filter((name) => !lower.includes(name))
  if (missing.length > 0)
    throw new NoList(`the header line lacks the column ${missing.join(' and ')}; expected: address,consent`)
  return lower
}

function rowOf({ info, record }: z.infer<typeof row>): ListRow {
  const refuse = (problem: string): ListRow => ({ kind: 'refused', line: info.lines, problem })
  if (info.error) return refuse(otherColumns)
  const [given, consent] = [asWritten(record.address), asWritten(record.consent)]
  const parsed = parseAddress(given)
  if (!parsed.ok) return refuse(`"${given.slice(0, 100)}" is no address: ${parsed.problem}`)
  const { address } = parsed
  const status = record.status.toLowerCase()
  if (!['', 'confirmed', 'subscribed', 'active'].includes(status))
    return { kind: 'elsewhere', line: info.lines, address, status: status.slice(0, 40) }
  if (consent === '') return refuse(`no consent is given for ${address}`)
  if (consent.includes('\0')) return refuse('the consent has a zero byte in it')
  if (consent.includes('\ufffd')) return refuse('it is not UTF-8; save the file as "CSV UTF-8"')
  if (consent.length > 1000) return refuse('the consent is longer than 1000 characters')
  return { kind: 'reader', line: info.lines, address, consent: withoutAddresses(consent) }
}

/** Our own export puts an apostrophe before what a spreadsheet would run; it is no part of the text. */
function asWritten(cell: string): string {
  return /^'[=+\-@\t\r＝＋－＠]/.test(cell) ? cell.slice(1) : cell
}
