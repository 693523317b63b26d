import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import type { Newsletter } from '../newsletter.ts'
import { comparisonJsonSchema } from '../verdict/document.ts'
import { foreseePublishing, type Published, publishComparison } from '../verdict/publish.ts'
import { type Fault, type ReadDocument, readDocuments } from '../verdict/read-documents.ts'
import { type Answer, answering, Problem, withNewsletter } from './command.ts'
import { operator } from './operator.ts'

type Options = { json?: true; dryRun?: true }

/** `import FILE…` and `schema` */
export function addImportCommands(program: Command): void {
  answering<Options>(
    program
      .command('import')
      .description('take in comparison documents, JSON or NDJSON; "-" reads standard input')
      .argument('<file...>', 'files with one document, an array of them, or one on each line')
      .option('--dry-run', 'say what would happen and change nothing'),
    importFiles,
  )
  program
    .command('schema')
    .description('print the JSON Schema of a comparison document')
    .option('--json', 'the schema is JSON in any case')
    .action(() => {
      process.stdout.write(`${JSON.stringify(comparisonJsonSchema(), null, 2)}\n`)
    })
}

type Taken = {
  readonly file: string
  readonly line: number
  readonly slug: string
  readonly outcome: Published
}
type Refused = {
  readonly file: string
  readonly line: number
  readonly slug: string | null
  readonly faults: readonly Fault[]
}

async function importFiles(files: readonly string[], options: Options): Promise<Answer> {
  const sources = await Promise.all(files.map(readSource))
  return withNewsletter(async (newsletter) => {
    const taken: Taken[] = []
    const refused: Refused[] = []
    for (const { file, source } of sources) {
      for (const read of readDocuments(source)) {
        if (read.ok) taken.push(await takeIn(newsletter, file, read, options.dryRun ?? false))
        else refused.push({ file, line: read.line, slug: read.slug, faults: read.faults })
      }
    }
    return summary(taken, refused, options.dryRun ?? false)
  })
}

async function takeIn(
  newsletter: Newsletter,
  file: string,
  { document, line }: Extract<ReadDocument, { ok: true }>,
  dryRun: boolean,
): Promise<Taken> {
  const outcome = dryRun
    ? await foreseePublishing(newsletter.db, document)
    : await publishComparison(newsletter, document, `${operator()} (import)`)
  return { file, line, slug: document.slug, outcome }
}

function summary(taken: readonly Taken[], refused: readonly Refused[], dryRun: boolean): Answer {
  const count = (outcome: Published) => taken.filter((one) => one.outcome === outcome).length
  const counts = {
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    refused: refused.length,
  }
  const problems = refused.flatMap(({ file, slug, faults }) =>
    faults.map(({ line, field, problem }) =>
      [`${file}:${line}`, slug && `"${slug}"`, field, problem].filter(Boolean).join(': '),
    ),
  )
  const list = Object.entries(counts).map(([outcome, many]) => `${many} ${outcome}`)
  return {
    json: { ...counts, dryRun, documents: taken, refusals: refused },
    lines: [...problems, `${dryRun ? 'Would be: ' : ''}${list.join(', ')}`],
    ok: refused.length === 0,
  }
}

async function readSource(file: string): Promise<{ file: string; source: string }> {
  if (file === '-') return { file: 'stdin', source: await text(process.stdin) }
  try {
    return { file, source: await readFile(file, 'utf8') }
  } catch (error) {
    throw new Problem(`Cannot read ${file}: ${whyUnreadable(error)}. Nothing was taken in.`)
  }
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EISDIR':
      return 'it is a folder'
    case 'EACCES':
      return 'permission denied'
    default:
      return String(code ?? error)
  }
}
