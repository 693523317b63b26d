import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import mjml2html from 'mjml'
import type { ComposedComparison, ComposedIssue, ComposedSplitRow, ComposedTool } from './compose.ts'
import { holeFor, printable, type Rendered } from './edition.ts'
import { wrap } from './set-text.ts'

/** The two parts of a mail, compiled: from here on only data goes in. */
export type IssueTemplates = {
  readonly html: Handlebars.TemplateDelegate
  readonly text: Handlebars.TemplateDelegate
}

export type IssueSetting = { readonly publicUrl: string; readonly postalAddress: string }

const folder = join(import.meta.dirname, '../../templates')
const strict = { strict: true, knownHelpersOnly: true } as const

/** Compiles both parts of the mail, once per process: MJML first, so that no data ever reaches it. */
export async function loadIssueTemplates(): Promise<IssueTemplates> {
  const engine = Handlebars.create()
  engine.registerHelper('wrap', wrap)
  for (const name of ['mail-stamp', 'mail-comparison'])
    engine.registerPartial(name, engine.compile(engine.parse(lean(read(`partials/${name}.hbs`))), strict))

  const structure = await structureOf(read('email/issue.mjml.hbs'))
  return {
    html: engine.compile(engine.parse(structure), strict),
    text: engine.compile(engine.parse(read('email/issue.txt.hbs')), {
      ...strict,
      noEscape: true,
      knownHelpers: { wrap: true },
    }),
  }
}

/** MJML as HTML, its mustaches untouched. Includes stay off, whatever a template says: nothing can read a file. */
export async function structureOf(template: string): Promise<string> {
  const { html, errors } = await mjml2html(template, { ignoreIncludes: true, validationLevel: 'strict' })
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'))
  return lean(html)
}

/** Sets an issue in type, with a hole for each reader's own links. The same issue and setting give the same bytes. */
export function renderIssue(
  templates: IssueTemplates,
  issue: ComposedIssue,
  setting: IssueSetting,
): Rendered {
  const view = viewOf(clean(issue), clean(setting))
  return {
    subject: view.subject,
    preheader: view.preheader,
    html: templates.html(view),
    text: templates.text(view),
  }
}

function read(path: string): string {
  return readFileSync(join(folder, path), 'utf8')
}

/** Templates without their indentation: a line break between two tags is white space enough. */
function lean(template: string): string {
  return template.replace(/\s*\n\s*/g, '\n')
}

/** A copy in which every string is `printable`. */
function clean<Data>(data: Data): Data {
  return JSON.parse(JSON.stringify(data), (_, value) =>
    typeof value === 'string' ? printable(value) : value,
  )
}

function viewOf(issue: ComposedIssue, { publicUrl, postalAddress }: IssueSetting) {
  return {
    ...issue,
    preheaderEnd: '\u2007\u034f'.repeat(90),
    postalAddress,
    shipStamp: stamp('ship'),
    skipStamp: stamp('skip'),
    comparisons: issue.comparisons.map((comparison, index) => ({
      ...comparison,
      place: `${index + 1} of ${issue.comparisons.length}`,
      url: `${publicUrl.replace(/\/$/, '')}/compare/${encodeURIComponent(comparison.slug)}`,
      winnerStamp: stamp(winningStamp(comparison)),
      tools: comparison.tools.map(toolView),
      split: comparison.split.map(splitView),
    })),
    unsubscribe: holeFor('unsubscribe'),
    preferences: holeFor('preferences'),
    webVersion: holeFor('webVersion'),
  }
}

function toolView(tool: ComposedTool) {
  return {
    ...tool,
    stamp: stamp(tool.stamp),
    shipShare: tool.panel.percent,
    skipShare: 100 - tool.panel.percent,
  }
}

function splitView({ lens, parts, verdicts }: ComposedSplitRow) {
  return { lens, parts, votes: verdicts.map((verdict) => ({ ...stamp(verdict), isNone: verdict === null })) }
}

/** The stamp beside the winner: its own, or the one that both tools share. */
function winningStamp({ winner, tools: [a, b] }: ComposedComparison) {
  return winner === b.name ? b.stamp : a.stamp
}

function stamp(kind: string | null) {
  return { isShip: kind === 'ship', isSkip: kind === 'skip', isSplit: kind === 'split' }
}
