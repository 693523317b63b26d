import type { Tool } from '../../verdict/comparison.ts'
import { application, house } from './json-ld.ts'

type Place = { readonly url: string; readonly publicUrl: string }

/** A page about one application: what the panel says of it, and the articles that it was compared in. */
export function toolLinkedData(
  view: {
    readonly name: string
    readonly description: string
    readonly category: string
    readonly categoryPath: string
    readonly tool: Tool
    readonly newest: { readonly slug: string }
    readonly outcomes: readonly Listed[]
  },
  { url, publicUrl }: Place,
): object {
  const path = view.categoryPath ? [{ name: view.category, url: publicUrl + view.categoryPath }] : []
  return {
    ...pageData('WebPage', { url, publicUrl }, view),
    breadcrumb: trail([...path, { name: view.name, url }], publicUrl),
    mainEntity: application(view.tool, `${publicUrl}/compare/${view.newest.slug}`),
    mentions: articles(view.outcomes, publicUrl),
  }
}

/** A page that collects the articles of one category. */
export function categoryLinkedData(
  view: { readonly name: string; readonly description: string; readonly outcomes: readonly Listed[] },
  { url, publicUrl }: Place,
): object {
  return {
    ...pageData('CollectionPage', { url, publicUrl }, view),
    breadcrumb: trail([{ name: view.name, url }], publicUrl),
    mainEntity: {
      '@type': 'ItemList',
      numberOfItems: view.outcomes.length,
      itemListElement: articles(view.outcomes, publicUrl).map((item, at) => ({
        '@type': 'ListItem',
        ...{ position: at + 1, item },
      })),
    },
  }
}

type Listed = {
  readonly slug: string
  readonly title: string
  readonly sentence: string
  readonly published: { readonly iso: string }
}

function pageData(
  type: 'WebPage' | 'CollectionPage',
  { url, publicUrl }: Place,
  { name, description }: { readonly name: string; readonly description: string },
) {
  return {
    '@context': 'https://schema.org',
    '@type': type,
    ...{ '@id': url, url, name, description },
    ...{ inLanguage: 'en', isAccessibleForFree: true, publisher: house(publicUrl) },
  }
}

function trail(steps: readonly { readonly name: string; readonly url: string }[], publicUrl: string): object {
  const all = [{ name: 'Weekly AI Tool Verdicts', url: `${publicUrl}/` }, ...steps]
  return {
    '@type': 'BreadcrumbList',
    itemListElement: all.map(({ name, url }, at) => ({
      '@type': 'ListItem',
      ...{ position: at + 1, name, item: url },
    })),
  }
}

function articles(listed: readonly Listed[], publicUrl: string): readonly object[] {
  return listed.map(({ slug, title, sentence, published }) => ({
    '@type': 'Article',
    ...{ headline: title, description: sentence, url: `${publicUrl}/compare/${slug}` },
    datePublished: published.iso,
  }))
}
