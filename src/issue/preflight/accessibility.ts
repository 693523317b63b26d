import type { MailDocument, MailElement } from './document.ts'
import { type Finding, found } from './finding.ts'

/** Words that say nothing of where a link leads, alone and out of their sentence. */
const vague = /^(?:click here|click|here|this|this link|link|read on|go|see here)[.!]?$/i

/** Every image says what it shows, or that it shows nothing. */
export function imagesFinding(document: MailDocument): Finding {
  const images = [...document.querySelectorAll('img')]
  const faults = images.flatMap((image) => {
    const alt = image.getAttribute('alt')
    const source = image.getAttribute('src') ?? ''
    const isLinkAlone = image.closest('a') !== null && (image.closest('a')?.textContent ?? '').trim() === ''
    if (alt === null) return [`${source}: no alt text`]
    if (/\.(?:png|jpe?g|gif|webp|svg)$/i.test(alt)) return [`${source}: its alt text is a file’s name`]
    return alt === '' && isLinkAlone ? [`${source}: a link without words`] : []
  })
  if (faults.length === 0) {
    const what = images.length === 0 ? 'there are no images' : `all ${images.length} images have their words`
    return found('images', 'pass', what)
  }
  return found('images', 'warn', `${plural(faults.length, 'image')} cannot be read aloud: ${faults[0]}`, {
    evidence: faults,
  })
}

/** Language, title, the order of headings, and what links are called (WCAG 2.2: 3.1.1, 2.4.2, 1.3.1, 2.4.4). */
export function structureFinding(document: MailDocument): Finding {
  const faults = [...ofDocument(document), ...ofHeadings(document), ...ofLinks(document)]
  if (faults.length === 0) {
    const headings = document.querySelectorAll('h1, h2, h3, h4, h5, h6').length
    return found(
      'structure',
      'pass',
      `language, title and ${headings} headings are in order; links say where they lead`,
    )
  }
  return found(
    'structure',
    'warn',
    faults.length === 1 ? `${faults[0]}` : `${faults.length} things: ${faults[0]}`,
    {
      evidence: faults,
    },
  )
}

function ofDocument(document: MailDocument): readonly string[] {
  return [
    ...(document.documentElement?.getAttribute('lang') ? [] : ['the html names no language']),
    ...((document.querySelector('title')?.textContent ?? '').trim() ? [] : ['the html has no title']),
  ]
}

function ofHeadings(document: MailDocument): readonly string[] {
  const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
  const tops = headings.filter(({ localName }) => localName === 'h1').length
  let last = 0
  const skips = headings.flatMap((heading) => {
    const depth = Number(heading.localName.slice(1))
    const isSkip = depth > last + 1 && last > 0
    last = depth
    return isSkip
      ? [`“${wordsIn(heading)}” is a heading of depth ${depth}, and none of depth ${depth - 1} is above it`]
      : []
  })
  const empty = headings.filter((heading) => wordsIn(heading) === '').length
  return [
    ...(tops === 1 ? [] : [tops === 0 ? 'there is no main heading' : `there are ${tops} main headings`]),
    ...skips,
    ...(empty === 0 ? [] : [`${plural(empty, 'heading')} without words`]),
  ]
}

function ofLinks(document: MailDocument): readonly string[] {
  return [...document.querySelectorAll('a[href]:not([aria-hidden])')].flatMap((link) => {
    const words = link.getAttribute('aria-label') ?? (wordsIn(link) || altsIn(link))
    if (words.trim() === '') return [`a link without words: ${link.getAttribute('href')}`]
    return vague.test(words.trim()) ? [`a link called “${words.trim()}”: ${link.getAttribute('href')}`] : []
  })
}

function altsIn(link: MailElement): string {
  return [...link.querySelectorAll('img')].map((image) => image.getAttribute('alt') ?? '').join(' ')
}

function wordsIn(element: MailElement): string {
  return (element.textContent ?? '').trim()
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
