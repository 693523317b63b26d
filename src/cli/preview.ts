import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { previewEdition } from '../delivery/preview.ts'
import { findIssue } from '../issue/issue.ts'
import { type Answer, answering, Problem, parseWeek, withNewsletter } from './command.ts'

type Options = { json?: true; as?: string; out?: string }

/** `preview WEEK [--as ADDRESS] [--out DIR]` */
export function addPreviewCommand(program: Command): void {
  answering<Options>(
    program
      .command('preview')
      .description('write issue.html, issue.txt and issue.json, byte for byte what a reader gets')
      .argument('<week>', 'ISO week')
      .option('--as <address>', 'as this subscriber gets it')
      .option('--out <folder>', 'where to write', '.'),
    ([name], options) =>
      withNewsletter(async (newsletter): Promise<Answer> => {
        const week = parseWeek(name, newsletter).name
        const issue = await findIssue(newsletter.db, week)
        if (!issue?.edition_hash)
          throw new Problem(`${week} has no draft. Make one: verdict draft --week ${week}`)
        const preview = await previewEdition(newsletter, issue, options.as)
        if (preview.kind === 'no such reader')
          throw new Problem(
            `${options.as} is no subscriber. Add one: verdict subscribers add ADDRESS --consent "…"`,
          )
        if (preview.kind === 'nothing')
          throw new Problem(`${options.as} gets nothing of ${week}: ${preview.reason}.`)

        const folder = options.out ?? '.'
        const { kind: _, html, text, ...facts } = preview
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
            ...preview.preflight.map(({ level, what }) => `  ${level}: ${what}`),
            `Written to ${folder}/issue.html, issue.txt, issue.json`,
          ],
          ok: preview.preflight.every(({ level }) => level !== 'block'),
        }
      }),
  )
}
