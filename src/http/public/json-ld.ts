import type { StoredComparison, Tool } from '../../verdict/comparison.ts'
import { lensName } from '../../verdict/review.ts'

type Facts = {
  readonly url: string
  readonly publicUrl: string
  readonly description: string
  readonly image: string
  readonly revisedAt: Temporal.Instant
}

/**
 * What schema.org has words for: an article about two applications and what the panel says of each. No ratings: the panel
 * ships or skips, and gives no stars.
 */
export function comparisonLinkedData(comparison: StoredComparison, facts: Facts): object {
  const us = house(facts.publicUrl)
  return {
    '@context': 'https://schema.org',
    '@type': 'Article',
    ...{ '@id': facts.url, url: facts.url, mainEntityOfPage: facts.url },
    ...{ headline: comparison.title, description: facts.description, image: facts.image },
    ...{ inLanguage: 'en', isAccessibleForFree: true, author: us, publisher: us },
    datePublished: comparison.publishedAt.toString(),
    dateModified: laterOf(comparison.publishedAt, facts.revisedAt).toString(),
    mainEntity: {
      '@type': 'ItemList',
      numberOfItems: comparison.tools.length,
      itemListElement: comparison.tools.map((tool, side) => ({
        '@type': 'ListItem',
        position: side + 1,
        item: application(tool, facts.url),
      })),
    },
  }
}

/**
 * A value as the text of a `<script type="application/ld+json">`: JSON that ends no element and begins no comment,
 * whatever is in it, and holds no line separator that JavaScript would mind.
 */
export function scriptText(value: object): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Who says it. */
export function house(publicUrl: string): object {
  return { '@type': 'Organization', name: 'Weekly AI Tool Verdicts', url: `${publicUrl}/` }
}

/** A tool and what the panel said of it on a comparison's page. */
export function application(tool: Tool, page: string): object {
  return {
    '@type': 'SoftwareApplication',
    ...{ name: tool.name, description: tool.tagline, applicationCategory: tool.category },
    ...(tool.url && { url: tool.url }),
    ...(tool.entryPrice === 'free' && { isAccessibleForFree: true }),
    ...(tool.entryPrice === 'paid' && { isAccessibleForFree: false }),
    review: tool.reviews.map(({ reviewer, verdict, quote }) => ({
      '@type': 'Review',
      name: verdict === 'ship' ? 'Ship' : 'Skip',
      reviewAspect: lensName(reviewer),
      reviewBody: quote,
      author: { '@type': 'Organization', name: `Weekly AI Tool Verdicts panel: ${lensName(reviewer)}` },
      url: `${page}#said-${reviewer}`,
    })),
  }
}

function laterOf(a: Temporal.Instant, b: Temporal.Instant): Temporal.Instant {
  return Temporal.Instant.compare(a, b) < 0 ? b : a
}
