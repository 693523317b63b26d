import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import type { LetterKind } from '../../db/schema.ts'
import type { Calendar } from '../clock.ts'
import type { Mail } from '../mail/email.ts'
import { listHeaders } from '../mail/list-headers.ts'
import { compiledWhenUsed, type MailTemplates } from '../mail/mail-templates.ts'
import { printable } from '../mail/printable.ts'
import { wrap } from '../mail/set-text.ts'
import { structureOf } from '../mail/structure.ts'
import type { WireFacts } from '../mail/wire.ts'
import { proofToken } from './letter.ts'
import { type LetterFacts, type LetterItem, wordsFor } from './letter-words.ts'
import { type SigningKey, signToken } from './token.ts'

export type LetterSetting = {
  readonly templates: MailTemplates
  readonly wire: WireFacts
  readonly listId: string
  readonly postalAddress: string
  readonly calendar: Calendar
  readonly key: SigningKey
}

/** A letter with all that its bytes are made from. */
export type LetterToSet = {
  readonly id: string
  readonly kind: LetterKind
  readonly to: string
  readonly publicId: string
  /** The newest issue that had gone out when the letter was posted, so that a later attempt says the same. */
  readonly latestIssue:
    | { readonly week: string; readonly subject: string; readonly verdicts: readonly LetterItem[] }
    | undefined
  readonly wish: LetterFacts['wish']
}

const folder = join(import.meta.dirname, '../../templates/email')
const strict = { strict: true, knownHelpersOnly: true } as const
const preheaderEnd = '\u2007\u034f'.repeat(60)

/** Both parts of a letter, each compiled once per process: MJML first, so that no data ever reaches it. */
export function loadLetterTemplates(): MailTemplates {
  const engine = Handlebars.create()
  engine.registerHelper('wrap', wrap)
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  return compiledWhenUsed({
    html: () => engine.compile(engine.parse(structureOf(read('letter.mjml.hbs'))), strict),
    text: () =>
      engine.compile(engine.parse(read('letter.txt.hbs')), {
        ...{ ...strict, noEscape: true, knownHelpers: { wrap: true } },
      }),
  })
}

/** The mail of a letter. The same letter and setting make the same bytes, whenever that is. */
export function setLetter(setting: LetterSetting, letter: LetterToSet): Mail {
  const { templates, wire } = setting
  const personal = hasWayOut(letter.kind) ? personalLinks(setting, letter.publicId) : undefined
  const { subject, ...words } = wordsFor(letter.kind, factsFor(setting, letter))
  const view = {
    ...{ subject, ...words, preheaderEnd, postalAddress: printable(setting.postalAddress) },
    links: personal
      ? [
          { label: 'Change or pause what you get', url: personal.preferences },
          { label: 'Unsubscribe', url: personal.unsubscribe },
        ]
      : [],
  }
  return {
    id: `letter.${letter.id}`,
    from: wire.from,
    ...(wire.replyTo && { replyTo: wire.replyTo }),
    to: letter.to,
    subject,
    ...{ html: templates.html(view), text: templates.text(view) },
    headers: personal
      ? listHeaders({ unsubscribeUrl: personal.unsubscribe, listId: setting.listId })
      : answerNobody,
    tags: { letter: letter.id, kind: letter.kind.replaceAll(' ', '-') },
  }
}

/** Nobody's holiday answer to a mail that nobody may have asked for (RFC 3834; the other is Exchange's). */
const answerNobody = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' }

/** Only a reader on the list has something to unsubscribe from (RELIABILITY 2.4). */
function hasWayOut(kind: LetterKind): boolean {
  return kind === 'welcome' || kind === 'resumed' || kind === 'follow'
}

function personalLinks({ wire, key }: LetterSetting, publicId: string) {
  return {
    unsubscribe: `${wire.publicUrl}/unsubscribe/${signToken(key, 'unsubscribe', publicId)}`,
    preferences: `${wire.publicUrl}/preferences/${signToken(key, 'preferences', publicId)}`,
  }
}

function factsFor({ wire, key, calendar }: LetterSetting, letter: LetterToSet): LetterFacts {
  return {
    proofUrl: `${wire.publicUrl}/${doorOf(letter.kind)}/${proofToken(key, letter.id)}`,
    latestIssue: letter.latestIssue && {
      subject: printable(letter.latestIssue.subject),
      url: `${wire.publicUrl}/issues/${letter.latestIssue.week}`,
      verdicts: letter.latestIssue.verdicts.map(({ title, line }) => ({
        title: printable(title),
        line: printable(line),
      })),
    },
    rhythm: rhythmOf(calendar),
    answerTo: wire.replyTo ?? wire.from,
    wish: letter.wish && { ...letter.wish, name: printable(letter.wish.name) },
  }
}

function doorOf(kind: LetterKind): string {
  return kind === 'confirm new address' ? 'address' : kind === 'follow' ? 'follow' : 'confirm'
}

const weekdays = ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays']

/** `Fridays at 09:00 New York time` */
function rhythmOf({ sendAt, zone }: Calendar): string {
  const time = `${String(sendAt.hour).padStart(2, '0')}:${String(sendAt.minute).padStart(2, '0')}`
  const place = zone.split('/').at(-1)?.replaceAll('_', ' ')
  return `${weekdays[sendAt.weekday - 1]} at ${time} ${place} time`
}
