import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import { wrap } from '../mail/set-text.ts'
import { lean, once, structureOf } from '../mail/structure.ts'
import type { ComposedIssue } from './compose.ts'
import type { Rendered } from './edition.ts'
import { type IssueSetting, issueView } from './issue-view.ts'

/** The two parts of a mail, compiled when the first is set: from then on only data goes in. */
export type IssueTemplates = {
  readonly html: Handlebars.TemplateDelegate
  readonly text: Handlebars.TemplateDelegate
  /** Compiles them now. Throws with what is wrong in them. */
  prepare(): void
}

export type { IssueSetting } from './issue-view.ts'

const folder = join(import.meta.dirname, '../../templates')
const strict = { strict: true, knownHelpersOnly: true } as const

/** Both parts of the mail, each compiled once per process: MJML first, so that no data ever reaches it. */
export function loadIssueTemplates(): IssueTemplates {
  const html = once(() => compileHtml())
  const text = once(() =>
    engineWithWrap().compile(read('email/issue.txt.hbs'), {
      ...strict,
      noEscape: true,
      knownHelpers: { wrap: true },
    }),
  )
  return {
    html: (view, options) => html()(view, options),
    text: (view, options) => text()(view, options),
    prepare: () => void [html(), text()],
  }
}

function compileHtml(): Handlebars.TemplateDelegate {
  const engine = Handlebars.create()
  for (const name of ['mail-stamp', 'mail-comparison'])
    engine.registerPartial(name, engine.compile(engine.parse(lean(read(`partials/${name}.hbs`))), strict))
  return engine.compile(engine.parse(structureOf(read('email/issue.mjml.hbs'))), strict)
}

function engineWithWrap(): typeof Handlebars {
  const engine = Handlebars.create()
  engine.registerHelper('wrap', wrap)
  return engine
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
