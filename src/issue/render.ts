import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import mjml2html from 'mjml'
import type { ComposedComparison, ComposedIssue, ComposedSplitRow, ComposedTool } from './compose.ts'
import { holeFor, printable, type Rendered } from './edition.ts'
import { excerpt } from './excerpt.ts'
import { wrap } from './set-text.ts'

/** The two parts of a mail, compiled: from here on only data goes in. */
export type IssueTemplates = {
  readonly html: Handlebars.TemplateDelegate
  readonly text: Handlebars.TemplateDelegate
}

export type IssueSetting = { readonly publicUrl: string; readonly postalAddress: string }

const folder = join(import.meta.dirname, '../../templates')
const longestTagline = 140
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

/**
 * MJML as HTML, its mustaches untouched. Includes stay off, whatever a template says: nothing can read a file. So do
 * MJML's fonts: it would fetch Roboto from Google for every reader.
 */
export async function structureOf(template: string): Promise<string> {
  const { html, errors } = await mjml2html(template, {
    ignoreIncludes: true,
    fonts: {},
    validationLevel: 'strict',
  })
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
    preheaderEnd: '\u2007\u034f'.repeat(60),
    postalAddress,
    shipStamp: stampView('ship'),
    skipStamp: stampView('skip'),
    comparisons: issue.comparisons.map((comparison, index) => ({
      ...comparison,
      place: `${index + 1} of ${issue.comparisons.length}`,
      url: `${publicUrl.replace(/\/$/, '')}/compare/${encodeURIComponent(comparison.slug)}`,
      winnerStamp: stampView(winningStamp(comparison)),
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
    tagline: excerpt(tool.tagline, longestTagline),
    stamp: stampView(tool.stamp),
    ships: tool.panel.percent,
    skips: 100 - tool.panel.percent,
    ...runIn(tool),
  }
}

/** A description that opens with the tool's name has it set in bold; any other has the name put in front. */
function runIn({ name, description: { text } }: ComposedTool) {
  const rest = text.slice(name.length)
  const namesItself = text.startsWith(name) && !/^[\p{L}\p{N}]/u.test(rest)
  return namesItself ? { runIn: name, account: rest } : { runIn: `${name}:`, account: ` ${text}` }
}

/** One reviewer's votes; `row` is the same as a line of text in columns. */
function splitView(
  { lens, parts, verdicts }: ComposedSplitRow,
  _: number,
  rows: readonly ComposedSplitRow[],
) {
  const widest = Math.max(...rows.map((row) => row.lens.length))
  const cells = verdicts.map((verdict) => (verdict ?? '—').padEnd(4))
  return {
    lens,
    parts,
    votes: verdicts.map(stampView),
    row: [lens.padEnd(widest), ...cells, parts ? 'parts them' : ''].join('\u00a0\u00a0\u00a0'),
  }
}

/** The stamp beside the winner: its own, or the one that both tools share. */
function winningStamp({ winner, tools: [a, b] }: ComposedComparison) {
  return winner === b.name ? b.stamp : a.stamp
}

function stampView(kind: 'ship' | 'skip' | 'split' | null) {
  return {
    word: kind?.toUpperCase() ?? '—',
    isShip: kind === 'ship',
    isSkip: kind === 'skip',
    isSplit: kind === 'split',
  }
}
