import type { MailDocument, MailElement } from './document.ts'
import { type Finding, found } from './finding.ts'
import { declarationsOf, rulesOf, type StyleRule } from './styles.ts'

type Scheme = 'light' | 'dark'
type Colour = readonly [red: number, green: number, blue: number]
type Pair = {
  readonly scheme: Scheme
  readonly ratio: number
  readonly words: string
  readonly colours: string
}

/** WCAG 2.2, 1.4.3, for text of any size. */
const least = 4.5

/**
 * The contrast of every word with what is behind it, in light and in dark, from the styles alone. What is written in a
 * colour that has no fixed value is counted as not decided.
 */
export function contrastFinding(document: MailDocument): Finding {
  const both = (['light', 'dark'] as const).map((scheme) => contrastsIn(document, scheme))
  const pairs = both.flatMap(({ pairs }) => pairs)
  const undecided = both.reduce((sum, one) => sum + one.undecided, 0)
  const low = pairs.filter(({ ratio }) => ratio < least).toSorted((a, b) => a.ratio - b.ratio)
  const open = undecided > 0 ? [`${undecided} places have a colour that cannot be computed`] : []
  const [worst] = low
  if (!worst) {
    const lowest = pairs.length > 0 ? Math.min(...pairs.map(({ ratio }) => ratio)).toFixed(1) : '–'
    return found('contrast', 'pass', `at least ${lowest} : 1 in light and dark`, { evidence: open })
  }
  return found(
    'contrast',
    'warn',
    `${worst.ratio.toFixed(1)} : 1 in ${worst.scheme}, where ${least} : 1 is needed`,
    {
      evidence: [...low.slice(0, 8).map(said), ...open],
    },
  )
}

function said({ scheme, ratio, words, colours }: Pair): string {
  return `${ratio.toFixed(1)} : 1 in ${scheme}, ${colours}: “${words}”`
}

function contrastsIn(document: MailDocument, scheme: Scheme): { pairs: readonly Pair[]; undecided: number } {
  const styles = stylesIn(document, scheme)
  const seen = new Map<string, Pair>()
  let undecided = 0
  for (const element of document.querySelectorAll('body, body *')) {
    const words = ownWords(element)
    if (words === '' || isHidden(element, styles)) continue
    const ink = inherited(element, styles, 'color') ?? '#000000'
    const paper = inherited(element, styles, 'background') ?? '#ffffff'
    const [front, back] = [toColour(ink), toColour(paper)]
    if (!front || !back) {
      undecided += 1
      continue
    }
    const colours = `${ink} on ${paper}`
    if (!seen.has(colours))
      seen.set(colours, { scheme, colours, words: words.slice(0, 40), ratio: ratioOf(front, back) })
  }
  return { pairs: [...seen.values()], undecided }
}

type Property = 'color' | 'background' | 'display'
type Styles = ReadonlyMap<MailElement, ReadonlyMap<Property, string>>

/** What each element is told by stylesheets and by itself, the strongest word last. */
function stylesIn(document: MailDocument, scheme: Scheme): Styles {
  const told = new Map<MailElement, { property: Property; value: string; weight: number }[]>()
  const tell = (element: MailElement, { declarations }: Pick<StyleRule, 'declarations'>, weight: number) => {
    const all = told.get(element) ?? []
    told.set(element, all)
    for (const { name, value, isImportant } of declarations) {
      const property = propertyOf(name)
      const colour = property === 'background' ? backgroundIn(value) : value
      if (property && colour) all.push({ property, value: colour, weight: weight + (isImportant ? 1e9 : 0) })
    }
  }
  const css = [...document.querySelectorAll('style')].map((style) => style.textContent ?? '').join('\n')
  for (const [place, rule] of rulesOf(css, scheme).entries())
    for (const element of matching(document, rule.selector))
      tell(element, rule, rule.specificity * 1e4 + place)
  for (const element of document.querySelectorAll('[bgcolor]')) {
    const value = element.getAttribute('bgcolor') ?? ''
    tell(element, { declarations: [{ name: 'background-color', value, isImportant: false }] }, -1)
  }
  for (const element of document.querySelectorAll('[style]'))
    tell(element, { declarations: declarationsOf(element.getAttribute('style') ?? '') }, 5e8)
  return new Map(
    [...told].map(([element, all]) => [
      element,
      new Map(all.toSorted((a, b) => a.weight - b.weight).map(({ property, value }) => [property, value])),
    ]),
  )
}

function matching(document: MailDocument, selector: string): readonly MailElement[] {
  try {
    return [...document.querySelectorAll(selector)]
  } catch {
    return []
  }
}

function propertyOf(name: string): Property | undefined {
  if (name === 'color' || name === 'display') return name
  return name === 'background' || name === 'background-color' ? 'background' : undefined
}

/** The colour in a shorthand. */
function backgroundIn(value: string): string | undefined {
  return (
    /#[0-9a-f]{3,8}\b|rgba?\([^)]*\)/i.exec(value)?.[0] ?? /^(?:white|black|transparent)\b/i.exec(value)?.[0]
  )
}

/** What an element is told, or else the nearest around it. */
function inherited(
  element: MailElement,
  styles: Styles,
  property: 'color' | 'background',
): string | undefined {
  for (let one: MailElement | null = element; one; one = one.parentElement) {
    const value = styles.get(one)?.get(property)
    if (value && value !== 'inherit' && value !== 'transparent') return value
  }
  return undefined
}

function isHidden(element: MailElement, styles: Styles): boolean {
  for (let one: MailElement | null = element; one; one = one.parentElement)
    if (styles.get(one)?.get('display') === 'none') return true
  return false
}

function ownWords(element: MailElement): string {
  if (['style', 'script', 'title'].includes(element.localName)) return ''
  return [...element.childNodes]
    .filter((node) => node.nodeType === 3)
    .map((node) => node.textContent ?? '')
    .join(' ')
    .replace(/(?:\s|\u00a0|\u2007|\u034f|\u200c|\ufeff)+/g, ' ')
    .trim()
}

function toColour(value: string): Colour | undefined {
  const named = { white: '#ffffff', black: '#000000' }[value.toLowerCase()] ?? value
  const [, short] = /^#([0-9a-f]{3})$/i.exec(named) ?? []
  const [, long = short?.replace(/./g, '$&$&')] = /^#([0-9a-f]{6})$/i.exec(named) ?? []
  if (long) return [partAt(long, 0), partAt(long, 2), partAt(long, 4)]
  const [, r, g, b] = /^rgb\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*\)$/i.exec(named) ?? []
  return r && g && b ? [Number(r), Number(g), Number(b)] : undefined
}

function partAt(hex: string, at: number): number {
  return Number.parseInt(hex.slice(at, at + 2), 16)
}

/** WCAG 2.2, "contrast ratio" and "relative luminance". */
function ratioOf(a: Colour, b: Colour): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

function luminance(colour: Colour): number {
  const [r = 0, g = 0, b = 0] = colour.map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
