import type { Cadence } from '../../../db/schema.ts'
import type { ConsentLine } from '../../subscriber/consent-of.ts'
import type { Reader } from '../../subscriber/find.ts'
import type { Bar } from '../../subscriber/suppressed.ts'
import { dayOf } from '../reader/personal-link.ts'

/** What a reader's standing is said from: their row, the line of their record that it rests on, and what bars their address. */
export type Standing = {
  readonly reader: Reader
  readonly grounds: ConsentLine | undefined
  readonly bar: Bar | undefined
}

/** Where a reader stands and what they get, in one or two sentences. */
export function standingOf({ reader, grounds, bar }: Standing, zone: string): string {
  if (reader.status === 'erased')
    return `Erased${grounds ? ` ${dayOf(grounds.at, zone)}, ${throughWhat(grounds.method)}` : ''}. Nobody knows whose this was.`
  const sentence = `${since(reader, grounds, zone)}; ${bar ? 'gets nothing' : getting(reader, zone)}.`
  return bar ? `${sentence} ${barWords(bar, zone)}` : sentence
}

function since({ status, ...reader }: Reader, grounds: ConsentLine | undefined, zone: string): string {
  const how = grounds ? ` ${throughWhat(grounds.method)}` : ''
  switch (status) {
    case 'pending':
      return `Signed up ${dayOf(grounds?.at ?? reader.created_at, zone)}${how}, and has not confirmed`
    case 'confirmed':
    case 'paused':
      return `${verbFor(grounds)} ${dayOf(reader.confirmed_at ?? reader.created_at, zone)}${how}`
    case 'unsubscribed':
      return `Left ${dayOf(reader.unsubscribed_at ?? reader.created_at, zone)}${how}`
    case 'erased':
      return 'Erased'
  }
}

function verbFor(grounds: ConsentLine | undefined): string {
  if (grounds?.kind === 'imported') return 'Added'
  return grounds?.kind === 'resubscribed' ? 'Came back' : 'Confirmed'
}

function getting({ status, cadence, paused_until }: Reader, zone: string): string {
  if (status === 'paused') return `paused${paused_until ? ` until ${dayOf(paused_until, zone)}` : ''}`
  return status === 'confirmed' ? cadenceWords[cadence] : 'gets nothing'
}

export const cadenceWords: Record<Cadence, string> = {
  weekly: 'gets every issue',
  monthly: 'gets one mail a month',
  followed: 'gets the issues with something they follow',
}

/** Why an address is not mailed, and since when. */
export function barWords({ reason, since: at }: Bar, zone: string): string {
  const day = dayOf(at, zone)
  switch (reason) {
    case 'bounced':
      return `The address bounced for good ${day} and is not mailed any more.`
    case 'complained':
      return `They reported a mail of ours as spam ${day}, so the address is not mailed any more.`
    case 'by hand':
      return `The address was suppressed by hand ${day}.`
    case 'erased':
      return `Of the address only a keyed hash is kept since ${day}: its reader was erased.`
  }
}

/** "through the form": how something that a reader decided came to us. */
export function throughWhat(method: string): string {
  return ways[method] ?? `by ${method}`
}

const ways: Readonly<Record<string, string>> = {
  form: 'through the form',
  'embedded form': 'through the form on another site',
  json: 'through the programming interface',
  link: 'with the link in a letter',
  page: 'on their own page',
  'one-click': 'with their mail program’s button',
  'by hand': 'by an operator',
  editor: 'by an editor',
  import: 'from a list',
  schedule: 'by itself',
  complaint: 'by reporting spam',
}

/** A line of the consent record: what was decided. */
export const consentWords: Record<ConsentLine['kind'], string> = {
  'signed up': 'Signed up',
  confirmed: 'Confirmed',
  imported: 'Added',
  paused: 'Paused',
  resumed: 'Pause ended',
  unsubscribed: 'Left',
  resubscribed: 'Came back',
  'preferences changed': 'Changed what they get',
  'address changed': 'Changed their address',
  erased: 'Erased',
}

/** Why a reader left, as they chose it. */
export const departureWords: Readonly<Record<string, string>> = {
  'too often': 'Too much mail',
  'not for me': 'Not about the tools they use',
  'not trusted': 'They do not trust the verdicts',
  'never signed up': 'They never signed up',
  other: 'Something else',
}
