import type { MailDocument } from './document.ts'
import { type Finding, found } from './finding.ts'
import { squeezed } from './markup.ts'

/** Whether the text part says what the html says: the title, the verdict and the link of every comparison, and all other links. */
export function textFinding(document: MailDocument, text: string): Finding {
  const said = squeezed(text)
  const isSaid = (words: string) => said.includes(squeezed(words))
  const comparisons = [...document.querySelectorAll('h2')].map((heading) => ({
    title: heading.textContent ?? '',
    verdict: heading.nextElementSibling?.textContent ?? '',
  }))
  const missing = comparisons.filter(({ title }) => !isSaid(title)).map(({ title }) => `comparison: ${title}`)
  const verdicts = comparisons
    .filter(({ title, verdict }) => isSaid(title) && !isSaid(verdict))
    .map(({ title }) => `verdict: ${title}`)
  const links = [...document.querySelectorAll('a:not([aria-hidden])')].flatMap((link) => {
    const url = link.getAttribute('href') ?? ''
    return text.includes(url.replace(/^mailto:/, '')) ? [] : [`link: ${url}`]
  })
  const evidence = [...new Set([...missing, ...verdicts, ...links])]
  if (evidence.length === 0)
    return found(
      'text',
      'pass',
      `title, verdict and link of all ${comparisons.length} comparisons are in the text`,
    )
  const what =
    missing.length > 0
      ? `the text part leaves out ${missing.length} of ${comparisons.length} comparisons`
      : `the text part lacks what the html has: ${evidence[0]}`
  return found('text', missing.length > 0 ? 'block' : 'warn', what, { evidence })
}
