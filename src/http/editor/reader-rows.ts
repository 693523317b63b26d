import type { DeliveryLine } from '../../delivery/deliveries-of.ts'
import type { ConsentLine } from '../../subscriber/consent-of.ts'
import type { Reader } from '../../subscriber/find.ts'
import type { LetterLine } from '../../subscriber/letters-of.ts'
import { consentWords, throughWhat } from './reader-words.ts'
import { feedbackWords, letterFate, letterWords, sentWords } from './sent-words.ts'
import { shortTime } from './when.ts'

/** An issue that a reader was planned to get, as a row of a table. */
export function deliveryRow(line: DeliveryLine, reader: Reader, zone: string) {
  const isInDoubt = line.state === 'unknown' || line.state === 'quarantined'
  return {
    ...{ week: line.week, subject: line.subject ?? '', sent: sentWords(line, zone) },
    url: reader.address
      ? `/desk/issues/${line.week}?as=${reader.public_id}#edition`
      : `/desk/issues/${line.week}`,
    cameBack: feedbackWords(line.feedback, line.feedbackAt, line.softAt, zone),
    isBad: isBad(line.feedback),
    to: otherThan(line.address, reader),
    providerId: line.providerId ?? '',
    doubt: isInDoubt && line.batchId ? `/desk/quarantine/${line.batchId}` : '',
  }
}

/** A letter to a reader, as a row of a table. */
export function letterRow(letter: LetterLine, reader: Reader, zone: string) {
  return {
    subject: [letterWords[letter.kind], letter.follow_name].filter((part) => part !== null).join(': '),
    sent: letterFate(letter, zone),
    posted: { machine: letter.created_at.toString(), person: shortTime(letter.created_at, zone) },
    cameBack: feedbackWords(letter.feedback, letter.feedback_at, letter.soft_at, zone),
    isBad: isBad(letter.feedback),
    to: otherThan(letter.to_address, reader),
  }
}

/** A line of the consent record, as a row of a table. */
export function consentRow(line: ConsentLine, zone: string) {
  return {
    ...{ what: consentWords[line.kind], how: throughWhat(line.method), detail: line.detail ?? '' },
    at: { machine: line.at.toString(), person: shortTime(line.at, zone) },
    ...{ wording: line.wording ?? '', form: line.form_url ?? '', network: line.network ?? '' },
  }
}

function isBad(feedback: DeliveryLine['feedback']): boolean {
  return feedback !== null && feedback !== 'delivered' && feedback !== 'delayed'
}

/** An address that is not the reader's address now, as they may have had another one then. */
function otherThan(address: string | null, reader: Reader): string {
  return address !== null && address !== reader.address ? address : ''
}
