/** The addresses that a mail's links and images name, as a mail program reads them. The html is of our own making. */
export function addressesIn(html: string): readonly { readonly tag: string; readonly url: string }[] {
  return [...html.matchAll(/<(a|img)\b([^>]*)>/gi)].map(([, tag = '', attributes = '']) => {
    const [, url = ''] = /\s(?:href|src)="([^"]*)"/i.exec(attributes) ?? []
    return { tag: tag.toLowerCase(), url: unescaped(url) }
  })
}

/** The words of a mail's html, without tags, styles and comments. */
export function wordsOf(html: string): string {
  return unescaped(
    html
      .replace(/<!--[\s\S]*?-->/g, ' ')
      .replace(/<(style|script|title)\b[\s\S]*?<\/\1>/gi, ' ')
      .replace(/<[^>]*>/g, ' '),
  )
}

/** Without any white space, in small letters: how words are compared that were set in lines of different lengths. */
export function squeezed(text: string): string {
  return text.replace(/[\s\u00a0\u00ad\u200b]+/g, '').toLowerCase()
}

const entities: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' },
}

/** Character references as the characters that they stand for. */
export function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]+));/gi, (whole, hex, decimal, name) => {
    const code = hex ? Number.parseInt(hex, 16) : Number(decimal)
    if (hex || decimal) return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    return entities[String(name).toLowerCase()] ?? whole
  })
}
