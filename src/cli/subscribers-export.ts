import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import { type ListedReader, listReaders } from '../subscriber/list.ts'
import { type Answer, Problem, UsageError, withNewsletter } from './command.ts'

export type ExportOptions = { json?: true; out?: string }

/**
 * Writes every reader as CSV, every cell in quotes; what a spreadsheet would run as a formula gets an apostrophe before it
 * (RELIABILITY S21).
 */
export async function exportReaders({ out, json }: ExportOptions): Promise<Answer> {
  if (json && !out) throw new UsageError('--json needs --out FILE: without it the list is what is printed')
  return withNewsletter(async ({ db }) => {
    let readers = 0
    const count = (rows: readonly ListedReader[]) => {
      readers += rows.length
      return rows.map(cells)
    }
    const columns = ['address', 'status', 'cadence', 'created', 'confirmed', 'consent']
    const csv = stringify({ header: true, columns, quoted: true, quoted_empty: true, escape_formulas: true })
    const pages = Readable.from(listReaders(db)).flatMap(count)
    await pipeline(pages, csv, out ? createWriteStream(out, { mode: 0o600 }) : process.stdout, {
      end: Boolean(out),
    }).catch((error: unknown) => {
      throw out && isFileError(error) ? new Problem(`Cannot write ${out}: ${error.message}`) : error
    })
    return { json: { readers, file: out }, lines: out ? [`${readers} readers written to ${out}`] : [] }
  })
}

function cells({ address, status, cadence, created_at, confirmed_at, consent }: ListedReader) {
  return [address, status, cadence, created_at.toString(), confirmed_at?.toString() ?? '', consent]
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
