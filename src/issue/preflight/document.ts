import type { parseHTML } from 'linkedom'

/** A mail's html as a tree that can be asked questions. */
export type MailDocument = ReturnType<typeof parseHTML>['document']
export type MailElement = NonNullable<ReturnType<MailDocument['querySelector']>>

/** Reads a mail's html. The reader of html is loaded when it is first needed: who only sends never pays for it. */
export async function readMail(html: string): Promise<MailDocument> {
  const { parseHTML } = await import('linkedom')
  return parseHTML(html).document
}
