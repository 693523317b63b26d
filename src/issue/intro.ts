import MarkdownIt, { type Token } from 'markdown-it'
import sanitize from 'sanitize-html'
import { wrapped } from '../mail/set-text.ts'

/** Characters of Markdown that an intro can have. */
export const longestIntro = 2000

/** A note from the editor, set for both parts of the mail. */
export type SetIntro = { readonly html: string; readonly text: string }

/** Markdown without markup of its own, pictures, rules and tables; a heading becomes a bold line, so that the issue keeps its outline. */
const markdown = new MarkdownIt('commonmark', { html: false }).disable([
  'image',
  'hr',
  'html_inline',
  'html_block',
])
markdown.validateLink = isOutside
markdown.renderer.rules.heading_open = () => '<p><b>'
markdown.renderer.rules.heading_close = () => '</b></p>\n'

/** What may be left of it: nothing but these, whatever the parser made. */
const allowed: sanitize.IOptions = {
  allowedTags: ['p', 'b', 'strong', 'em', 'a', 'ul', 'ol', 'li', 'blockquote', 'code', 'pre', 'br'],
  allowedAttributes: { a: ['href'], ol: ['start'] },
  allowedSchemes: ['https', 'http', 'mailto'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'escape',
}

/** Tags as mail programs want them: a style on each, and the classes that the mail's dark colours go by. */
const styles: Readonly<Record<string, string>> = {
  p: 'style="margin:0 0 12px"',
  ul: 'style="margin:0 0 12px;padding-left:24px"',
  ol: 'style="margin:0 0 12px;padding-left:24px"',
  blockquote: 'class="rule" style="margin:0 0 12px;border-left:2px solid #1C1B19;padding-left:14px"',
  pre: 'style="margin:0 0 12px;white-space:pre-wrap"',
}

/** Sets an intro in type, as HTML and as its plain twin, from the same tokens. An empty one gives two empty parts. */
export function setIntro(source: string): SetIntro {
  const tokens = markdown.parse(harmless(source.slice(0, longestIntro)), {})
  const html = sanitize(markdown.renderer.render(tokens, markdown.options, {}), allowed)
  return { html: harmless(withStyles(html)).trim(), text: harmless(textOf(tokens)).trim() }
}

/** After the allow-list no tag has an attribute but an address or a number, so what is found here is a tag and nothing else. */
function withStyles(html: string): string {
  return html.replace(
    /<(p|ul|ol|blockquote|pre)( start="\d+")?>/g,
    (_, tag, start) => `<${tag}${start ?? ''} ${styles[tag]}>`,
  )
}

/** Without controls and marks of direction: what was typed is refused when it has them, but `&#x202e;` makes them too. */
function harmless(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/gu, '')
    .toWellFormed()
}

/** Absolute, and of a kind that a mail may have. */
function isOutside(url: string): boolean {
  return /^(?:https?:\/\/|mailto:)/i.test(url.trim()) && URL.canParse(url.trim())
}

/** Blocks as paragraphs at 78 columns; the points of a list stand in lines of their own. */
function textOf(tokens: readonly Token[]): string {
  const lists: { next: number | undefined }[] = []
  let quotes = 0
  let mark = ''
  let text = ''
  for (const { type, attrGet, ...token } of tokens.map((one) => ({
    ...one,
    attrGet: one.attrGet.bind(one),
  }))) {
    const indent = '  '.repeat(Math.max(lists.length - 1, 0) + quotes)
    switch (type) {
      case 'bullet_list_open':
        lists.push({ next: undefined })
        break
      case 'ordered_list_open':
        lists.push({ next: Number(attrGet('start') ?? 1) })
        break
      case 'bullet_list_close':
      case 'ordered_list_close':
        lists.pop()
        if (lists.length === 0) text += '\n'
        break
      case 'list_item_open':
        mark = markOf(lists.at(-1))
        break
      case 'blockquote_open':
        quotes += 1
        break
      case 'blockquote_close':
        quotes -= 1
        break
      case 'code_block':
      case 'fence':
        text += `${token.content.trimEnd().replace(/^/gm, `${indent}    `)}\n\n`
        break
      case 'inline': {
        const inList = lists.length > 0
        const lead = indent + (inList ? mark || '  ' : '')
        const lines = inlineText(token.children ?? []).split('\n')
        text += lines
          .map((line, index) => `${wrapped(line, index === 0 ? lead : ' '.repeat(lead.length))}\n`)
          .join('')
        if (!inList) text += '\n'
        mark = ''
      }
    }
  }
  return text
}

function markOf(list: { next: number | undefined } | undefined): string {
  if (list?.next === undefined) return '- '
  list.next += 1
  return `${list.next - 1}. `
}

/** Words as they are, links as "text <address>", or the address alone where that is the text. */
function inlineText(children: readonly Token[]): string {
  const links: { href: string; from: number }[] = []
  let text = ''
  for (const child of children) {
    switch (child.type) {
      case 'link_open':
        links.push({ href: String(child.attrGet('href') ?? ''), from: text.length })
        break
      case 'link_close': {
        const link = links.pop()
        if (link) text += text.slice(link.from) === link.href ? '' : ` <${link.href}>`
        break
      }
      case 'softbreak':
        text += ' '
        break
      case 'hardbreak':
        text += '\n'
        break
      default:
        text += child.content
    }
  }
  return text
}
