import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { checkEdition, preflightOf } from '../delivery/preflight.ts'
import { type Onlooker, previewEdition } from '../delivery/preview.ts'
import { type ComposedCorrection, composeCorrection } from '../issue/compose-correction.ts'
import { findIssue } from '../issue/issue.ts'
import { loadCorrections } from '../issue/kept-corrections.ts'
import type { Finding } from '../issue/preflight/finding.ts'
import { type Answer, answering, Problem, parseWeek, withNewsletter } from './command.ts'

type Options = { json?: true; as?: string; asKind?: Onlooker; out?: string }

/** `preview WEEK [--as ADDRESS | --as-kind KIND] [--out DIR]` */
export function addPreviewCommand(program: Command): void {
  answering<Options>(
    program
      .command('preview')
      .description('write issue.html, issue.txt and issue.json, byte for byte what a reader gets')
      .argument('<week>', 'ISO week')
      .option('--as <address>', 'as this subscriber gets it')
      .option('--as-kind <kind>', 'as such a reader gets it: weekly, monthly or follows:CATEGORY', readKind)
      .option('--out <folder>', 'where to write', '.'),
    ([name], options) =>
      withNewsletter(async (newsletter): Promise<Answer> => {
        const week = parseWeek(name, newsletter).name
        const issue = await findIssue(newsletter.db, week)
        if (!issue?.edition_hash)
          throw new Problem(`${week} has no draft. Make one: verdict draft --week ${week}`)
        if (options.as && options.asKind) throw new Problem('Give --as or --as-kind, not both.')
        const preview = await previewEdition(newsletter, issue, options.as ?? options.asKind)
        const who = options.as ?? 'Such a reader'
        if (preview.kind === 'no such reader')
          throw new Problem(`${who} is no subscriber. Add one: verdict subscribers add ADDRESS --consent "…"`)
        if (preview.kind === 'nothing')
          throw new Problem(`${who} gets nothing of ${week}: ${preview.reason}.`)

        const folder = options.out ?? '.'
        if (issue.planned_at === null) await checkEdition(newsletter, issue)
        const preflight = await preflightOf(newsletter, issue)
        const { kind: _, mail: __, edition: ___, html, text, ...seen } = preview
        const corrections = (await loadCorrections(newsletter.db, issue.id)).map(composeCorrection)
        const facts = { ...seen, corrections: corrections.map(toldAndNow), preflight }
        await mkdir(folder, { recursive: true })
        await writeFile(join(folder, 'issue.html'), html)
        await writeFile(join(folder, 'issue.txt'), text)
        await writeFile(
          join(folder, 'issue.json'),
          `${JSON.stringify({ ...facts, state: issue.state }, null, 2)}\n`,
        )
        return {
          json: { ...facts, state: issue.state, out: folder },
          lines: [
            `${week}: ${preview.subject}`,
            `  ${preview.preheader}`,
            `  html ${preview.sizes.html} bytes, text ${preview.sizes.text} bytes, edition ${preview.hash.slice(0, 12)}`,
            ...preflight.flatMap(preflightLines),
            `Written to ${folder}/issue.html, issue.txt, issue.json`,
          ],
          ok: preflight.every(({ level }) => level !== 'block'),
        }
      }),
  )
}

/** Every correction that some reader of the issue gets. */
function toldAndNow({ slug, title, told, now, isPrimary }: ComposedCorrection) {
  return { slug, title, told, now, isNews: isPrimary }
}

/** `weekly`, `monthly`, or `follows:` and a category. */
function readKind(value: string): Onlooker {
  if (value === 'weekly' || value === 'monthly') return { kind: value }
  const [, category] = /^follows:(.+)$/.exec(value) ?? []
  if (category === undefined)
    throw new InvalidArgumentError(`Expected weekly, monthly or follows:CATEGORY, not "${value}".`)
  return { kind: 'follows', category }
}

/** A line of the list; what is not well also with what it rests on, and where to mend it. */
function preflightLines({ level, title, what, evidence, place }: Finding): readonly string[] {
  const line = `  ${`${level}:`.padEnd(6)} ${title}: ${what}`
  if (level === 'pass') return [line]
  return [line, ...evidence.slice(0, 8).map((one) => `           ${one}`), `           mend it at ${place}`]
}
