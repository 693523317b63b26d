import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import { wrap } from '../mail/set-text.ts'
import { lean, structureOf } from '../mail/structure.ts'
import type { ComposedIssue } from './compose.ts'
import type { Rendered } from './edition.ts'
import { type IssueSetting, issueView } from './issue-view.ts'

/** The two parts of a mail, compiled: from here on only data goes in. */
export type IssueTemplates = {
  readonly html: Handlebars.TemplateDelegate
  readonly text: Handlebars.TemplateDelegate
}

export type { IssueSetting } from './issue-view.ts'

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

/** Sets an issue in type, with a hole for each reader's own links. The same issue and setting give the same bytes. */
export function renderIssue(
  templates: IssueTemplates,
  issue: ComposedIssue,
  setting: IssueSetting,
): Rendered {
  const view = issueView(issue, setting)
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
