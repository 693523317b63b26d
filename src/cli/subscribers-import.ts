import { createReadStream } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { type Imported, importSubscribers, type Tally } from '../subscriber/import.ts'
import { type Answer, Problem, withNewsletter } from './command.ts'
import { startProgress } from './progress.ts'

export type ImportOptions = { readonly json?: true; readonly dryRun?: true }

/** Below this many lines it is over before a bar is of use. */
const worthABar = 5_000

/** Adds confirmed readers from a CSV file, or from standard input for `-`. */
export async function importReaders(file: string, options: ImportOptions): Promise<Answer> {
  const [json, dryRun] = [options.json ?? false, options.dryRun ?? false]
  const lines = file === '-' ? 0 : await countLines(file)
  return withNewsletter(async (newsletter) => {
    const progress = showProgress(lines, json)
    const source = file === '-' ? process.stdin : createReadStream(file)
    const result = await importSubscribers(newsletter, source, { dryRun, onProgress: progress.step })
    progress.end()
    if (result.kind === 'unusable') throw new Problem(`${file}: ${result.problem}. Nobody was added.`)
    return answerFor(file, result, dryRun)
  })
}

function answerFor(
  file: string,
  { noted, ...result }: Extract<Imported, { kind: 'imported' }>,
  dryRun: boolean,
): Answer {
  const { kind: _, ...tally } = result
  const unsaid = rowsBroughtNobody(tally) - noted.length
  return {
    json: { ...tally, dryRun, refusals: noted },
    lines: [
      ...noted.map(({ line, problem }) => `${file}:${line}: ${problem}`),
      ...(unsaid > 0 ? [`… and ${unsaid} more lines like these`] : []),
      `${dryRun ? 'Would be: ' : ''}${summary(tally)}`,
    ],
    ok: tally.refused === 0,
  }
}

/** The five that are always of interest, and the rest where there is any. */
function summary(tally: Tally): string {
  return [
    ...[`${tally.added} added`, `${tally.known} known already`, `${tally.left} left before`],
    ...[`${tally.suppressed} suppressed`, `${tally.refused} refused`],
    ...(tally.repeated > 0 ? [`${tally.repeated} more than once in the file`] : []),
    ...(tally.erased > 0 ? [`${tally.erased} erased before`] : []),
    ...(tally.elsewhere > 0 ? [`${tally.elsewhere} not subscribed in that list`] : []),
  ].join(', ')
}

function rowsBroughtNobody({ repeated, left, suppressed, erased, elsewhere, refused }: Tally): number {
  return repeated + left + suppressed + erased + elsewhere + refused
}

/** At most fifty steps, and none for a short file. */
function showProgress(lines: number, json: boolean) {
  if (lines < worthABar) return { step: () => {}, end: () => {} }
  const progress = startProgress('Importing', lines - 1, { json })
  let waiting = 0
  const flush = () => {
    if (waiting > 0) progress.step(waiting, 'accepted')
    waiting = 0
  }
  return {
    step(rows: number) {
      waiting += rows
      if (waiting >= lines / 50) flush()
    },
    end() {
      flush()
      progress.end()
    },
  }
}

async function countLines(file: string): Promise<number> {
  try {
    await access(file, constants.R_OK)
  } catch {
    throw new Problem(`Cannot read ${file}: there is no such file, or it may not be read. Nobody was added.`)
  }
  let lines = 0
  for await (const chunk of createReadStream(file))
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1
  return lines
}
