import { preheaderLength, subjectLength } from '../headline.ts'
import { type Finding, found, type Level } from './finding.ts'
import { squeezed } from './markup.ts'

/** What the last issue said; undefined before the first. */
export type LastWords = { readonly week: string; readonly subject: string }

/** Whether a subject is one that is opened, and honest: its length, its tone, and that it is not last week's. */
export function subjectFinding(subject: string, last: LastWords | undefined): Finding {
  const place = '#subject'
  const evidence = [`“${subject}”`, `${subject.length} characters`]
  if (subject.trim() === '') return found('subject', 'block', 'there is no subject', { place })
  const isRepeated = last !== undefined && withoutWeek(subject) === withoutWeek(last.subject)
  const faults = [
    ...ofLength(subject, subjectLength),
    ...ofTone(subject),
    ...(/^\s*(?:re|fwd?|aw|wg)\s*:/i.test(subject)
      ? ['it pretends to be an answer (CAN-SPAM: no misleading subject)']
      : []),
    ...(isRepeated
      ? [`it is the subject of ${last.week}, and mail programs may put the two in one thread`]
      : []),
  ]
  return ofFaults('subject', faults, `${subject.length} characters, shown whole on a phone`, {
    evidence,
    place,
  })
}

/** Whether a preheader adds to the subject, and is shown whole. */
export function preheaderFinding(preheader: string, subject: string): Finding {
  const place = '#preheader'
  const evidence = [`“${preheader}”`, `${preheader.length} characters`]
  if (preheader.trim() === '')
    return found('preheader', 'warn', 'there is none: inboxes show the first words of the mail', { place })
  const [one, other] = [withoutWeek(preheader), withoutWeek(subject)]
  const isEcho =
    one === other || (other.length > 10 && one.includes(other)) || (one.length > 10 && other.includes(one))
  const faults = [
    ...ofLength(preheader, preheaderLength),
    ...ofTone(preheader),
    ...(isEcho ? ['it repeats the subject, beside which it is shown'] : []),
  ]
  return ofFaults('preheader', faults, `${preheader.length} characters, shown whole on a phone`, {
    evidence,
    place,
  })
}

function ofFaults(
  id: 'subject' | 'preheader',
  faults: readonly string[],
  good: string,
  { evidence, place }: { evidence: readonly string[]; place: string },
): Finding {
  const level: Level = faults.length === 0 ? 'pass' : 'warn'
  const what = faults.length === 0 ? good : faults.join('; ')
  return found(id, level, what, { evidence, place })
}

function ofLength(words: string, { least, most }: { least: number; most: number }): readonly string[] {
  if (words.length >= least && words.length <= most) return []
  return [`it has ${words.length} characters; ${least} to ${most} show whole`]
}

function ofTone(words: string): readonly string[] {
  const letters = words.match(/\p{L}/gu) ?? []
  const large = letters.filter((letter) => letter !== letter.toLowerCase()).length
  const shouted = words.match(/\b\p{Lu}{5,}\b/gu) ?? []
  return [
    ...(letters.length >= 12 && large / letters.length > 0.6 ? ['it is in capitals'] : []),
    ...(letters.length >= 12 && large / letters.length <= 0.6 && shouted.length >= 3
      ? [`it shouts: ${shouted.join(', ')}`]
      : []),
    ...(/!/.test(words) ? ['it has an exclamation mark'] : []),
    ...(/\p{Extended_Pictographic}/u.test(words) ? ['it has an emoji'] : []),
    ...(/\?{2,}|\.{4,}|\${2,}/.test(words) ? ['its punctuation is repeated'] : []),
  ]
}

/** A subject's words without the week or month at its end. */
function withoutWeek(words: string): string {
  return squeezed(words.replace(/\s*·\s*\d{4}-(?:W\d{2}|\d{2})\s*$/, ''))
}
