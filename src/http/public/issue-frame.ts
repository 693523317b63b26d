import type { Pages } from '../../template.ts'

/** What stands around an edition on the web; a week is '' where there is no issue on that side. */
export type Frame = {
  readonly week: string
  readonly date: string
  readonly subject: string
  readonly preheader: string
  readonly older: string
  readonly newer: string
  readonly publicUrl: string
}

/**
 * The edition, byte for byte, between a bar of ours above and one below; its head says where it is kept. What holds it has
 * the body's own classes, so that the edition's styles find the same parents as in a mail.
 */
export function framed(html: string, pages: Pages, frame: Frame): string {
  return html
    .replace(/<\/head>/i, (end) => pages('issue-head', frame) + end)
    .replace(/<body\b[^>]*>/i, (body) => `${body}${pages('issue-above', frame)}<main${classOf(body)}>`)
    .replace(/<\/body>(?![\s\S]*<\/body>)/i, (end) => `</main>${pages('issue-below', frame)}${end}`)
}

function classOf(tag: string): string {
  return /\sclass="[^"]*"/i.exec(tag)?.[0] ?? ''
}
