import { diffArrays } from 'diff'
import type { DiffPart } from '../verdict/word-diff.ts'
import { personalHoles, type Rendered } from './edition.ts'
import { goUrl, type LinkTarget, withDirectLinks } from './links.ts'
import { withPrimaryPassages } from './passage.ts'
import { readMail } from './preflight/document.ts'
import { diffText, type Stretch, wordsOrWhole } from './text-diff.ts'

/** An edition with the links that its counted links are. */
export type Compared = {
  readonly edition: Pick<Rendered, 'subject' | 'preheader' | 'html' | 'text'>
  readonly links: readonly LinkTarget[]
}

/** A figure of both, e.g. how many headings. */
export type Figure = { readonly what: string; readonly before: number; readonly after: number }

/** What is different between two editions, in every respect that a reader or a mail program would notice. */
export type EditionDiff = {
  readonly isSame: boolean
  readonly subject: readonly DiffPart[]
  readonly preheader: readonly DiffPart[]
  readonly figures: readonly Figure[]
  /** Headings, tables and pictures in their order, each under its heading. */
  readonly outline: readonly {
    readonly kind: DiffPart['kind']
    readonly depth: number
    readonly text: string
  }[]
  readonly links: Readonly<Record<'added' | 'removed' | 'same', readonly string[]>>
  readonly text: readonly Stretch[]
}

/** Compares two editions. `publicUrl` is what their counted links begin with. */
export async function diffEditions(
  before: Compared,
  after: Compared,
  { publicUrl }: { readonly publicUrl: string },
): Promise<EditionDiff> {
  const [was, is] = [await read(before, publicUrl), await read(after, publicUrl)]
  const [old, now] = [before.edition, after.edition]
  return {
    isSame: (['subject', 'preheader', 'html', 'text'] as const).every((part) => old[part] === now[part]),
    subject: wordsOrWhole(old.subject, now.subject),
    preheader: wordsOrWhole(old.preheader, now.preheader),
    figures: was.figures.map(({ what, count }, at) => ({
      ...{ what, before: count, after: is.figures[at]?.count ?? 0 },
    })),
    outline: diffArrays([...was.outline], [...is.outline]).flatMap(({ value, added, removed }) =>
      value.map(
        (line) => ({ kind: added ? 'added' : removed ? 'removed' : 'same', ...lineOf(line) }) as const,
      ),
    ),
    links: {
      added: [...is.targets].filter((target) => !was.targets.has(target)),
      removed: [...was.targets].filter((target) => !is.targets.has(target)),
      same: [...is.targets].filter((target) => was.targets.has(target)),
    },
    text: diffText(was.text, is.text),
  }
}

/** An edition as it is compared: counted links by their targets, a reader's own by what they are. */
async function read({ edition: given, links }: Compared, publicUrl: string) {
  const edition = { html: withPrimaryPassages(given.html), text: withPrimaryPassages(given.text) }
  const html = withoutHoles(withDirectLinks(edition.html, publicUrl, links))
  const mail = await readMail(html)
  const all = (selector: string) => [...mail.querySelectorAll(selector)]
  const rows = all('table').filter((table) => !isForLayout(table))
  const said = textOf(mail.body?.textContent ?? '')
  const count = (what: string, found: number) => ({ what, count: found })
  return {
    figures: [
      count('Bytes of HTML', Buffer.byteLength(edition.html)),
      count('Bytes of text', Buffer.byteLength(edition.text)),
      count('Words', said === '' ? 0 : said.split(' ').length),
      count('Headings, first level', all('h1').length),
      count('Headings, second level', all('h2').length),
      count('Headings, third level', all('h3').length),
      count('Tables of figures', rows.length),
      count('Pictures', all('img').length),
      count('Links', all('a[href]').length),
    ],
    outline: outlineOf(all('h1, h2, h3, h4, table, img')),
    targets: new Set(all('a[href]').map((link) => link.getAttribute('href') ?? '')),
    text: withoutHoles(
      links.reduce((text, link) => text.replaceAll(goUrl(publicUrl, link), () => link.target), edition.text),
    ),
  }
}

type Node = {
  readonly localName: string
  readonly textContent: string | null
  getAttribute(name: string): string | null
  querySelector(selector: string): Node | null
  querySelectorAll(selector: string): Iterable<Node>
}

/** A line for each, indented under its heading by tabs. */
function outlineOf(nodes: readonly Node[]): readonly string[] {
  let level = 0
  return nodes.flatMap((node) => {
    const name = node.localName
    if (name === 'table' && isForLayout(node)) return []
    if (/^h\d$/.test(name)) {
      level = Number(name.slice(1))
      return [`${'\t'.repeat(level - 1)}${name}: ${textOf(node.textContent ?? '')}`]
    }
    const what =
      name === 'img'
        ? `picture: ${node.getAttribute('alt') ?? 'no alternative text'}`
        : `table: ${[...node.querySelectorAll('tr')].length} rows${captionOf(node)}`
    return [`${'\t'.repeat(level)}${what}`]
  })
}

function captionOf(table: Node): string {
  const caption = textOf(table.querySelector('caption')?.textContent ?? '')
  return caption === '' ? '' : `, ${caption}`
}

/** A table that only places things: it says so, or has no heading of its own. */
function isForLayout(table: Node): boolean {
  return table.getAttribute('role') === 'presentation' || table.querySelector('th, caption') === null
}

function lineOf(line: string) {
  const text = line.replace(/^\t+/, '')
  return { depth: line.length - text.length, text }
}

function textOf(text: string): string {
  return text.replace(/(?:\u2007|\u034f|\s)+/g, ' ').trim()
}

function withoutHoles(part: string): string {
  return personalHoles.reduce((text, name) => text.replaceAll(`\u0001${name}\u0002`, `reader:${name}`), part)
}
