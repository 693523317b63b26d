import type { Mail } from '../../src/mail/email.ts'

/** A small issue mail to Ann, as the delivery folder would hand it over; `changes` replace whole fields. */
export function sampleMail(changes: Partial<Mail> = {}): Mail {
  return {
    id: 'w47-ann',
    from: 'Weekly AI Tool Verdicts <verdicts@news.example.test>',
    replyTo: 'Editors <desk@news.example.test>',
    to: 'ann@example.test',
    subject: 'Claude 4 Sonnet vs SmolVLM2 · week 47',
    html: '<!doctype html><html lang="en"><title>Week 47</title><h1>The panel ships both</h1></html>',
    text: 'The panel ships both.\n',
    headers: {
      'List-Unsubscribe': '<https://verdicts.example.test/unsubscribe/token-of-ann>',
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'List-Id': 'Weekly Verdict <weekly.news.example.test>',
    },
    tags: { issue: '2026-W47', batch: 'b1', delivery: 'd1' },
    ...changes,
  }
}

/** So many mails, each to a reader of their own. */
export function sampleMails(count: number): Mail[] {
  return Array.from({ length: count }, (_, n) =>
    sampleMail({ id: `w47-reader-${n}`, to: `reader-${n}@example.test` }),
  )
}
