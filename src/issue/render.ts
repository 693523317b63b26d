import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import { compiledWhenUsed, type MailTemplates } from '../mail/mail-templates.ts'
import { wrap } from '../mail/set-text.ts'
import { lean, structureOf } from '../mail/structure.ts'
import type { ComposedIssue } from './compose.ts'
import type { Rendered } from './edition.ts'
import { type IssueSetting, introMark, issueView } from './issue-view.ts'

export type { IssueSetting } from './issue-view.ts'

const folder = join(import.meta.dirname, '../../templates')
const strict = { strict: true, knownHelpersOnly: true } as const

/** Both parts of the mail, each compiled once per process: MJML first, so that no data ever reaches it. */
export function loadIssueTemplates(): MailTemplates {
  return compiledWhenUsed({
    html: compileHtml,
    text: () =>
      engineWithWrap().compile(read('email/issue.txt.hbs'), {
        ...strict,
        noEscape: true,
        knownHelpers: { wrap: true },
      }),
  })
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
export function renderIssue(templates: MailTemplates, issue: ComposedIssue, setting: IssueSetting): Rendered {
  const view = issueView(issue, setting)
  return {
    subject: view.subject,
    preheader: view.preheader,
    html: templates.html(view).replace(introMark, () => view.introHtml),
    text: templates.text(view),
  }
}

function read(path: string): string {
  return readFileSync(join(folder, path), 'utf8')
}
