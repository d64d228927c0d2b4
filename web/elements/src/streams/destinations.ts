/** What each destination asks for. The server decides what is right; this is the form for it. */
import type { TemplateResult } from 'lit';
import type { Message } from '../base/i18n.js';
import { circle, drawIcon, icon } from '../base/icons.js';

export interface Field {
  name: string;
  label: Message;
  kind?: 'secret' | 'area' | 'check' | 'number' | 'secret-area';
  options?: readonly string[];
  required?: boolean;
  placeholder?: string;
  hint?: Message;
  /** A member that the server assigned to this tenant and that goes with this one. */
  assigned?: 'external_id';
}

export interface Destination {
  /** Its name in addresses; the type's unless several share one. */
  name?: string;
  type: string;
  /** Members that are not for choice. */
  preset?: Readonly<Record<string, string>>;
  title: string;
  about: Message;
  icon: TemplateResult;
  formats: readonly string[];
  fields: readonly Field[];
}

const JSON_FORMATS = ['recount', 'ocsf', 'ocsf-1.1.0'];
const ALL_FORMATS = [...JSON_FORMATS, 'cef'];

export const FORMAT_NAMES: Record<string, string> = { recount: 'Recount JSON', ocsf: 'OCSF 1.8', 'ocsf-1.1.0': 'OCSF 1.1', cef: 'CEF' };

export const DESTINATIONS: readonly Destination[] = [
  {
    type: 's3', title: 'Amazon S3', about: 'Buckets of S3 and compatible stores, as JSON lines or Parquet', icon: drawIcon('M3 6l2 13a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2l2-13M3 6c0-2 4-3 9-3s9 1 9 3-4 3-9 3-9-1-9-3'), formats: JSON_FORMATS,
    fields: [
      { name: 'bucket', label: 'Bucket', required: true },
      { name: 'region', label: 'Region' },
      { name: 'endpoint', label: 'Endpoint', placeholder: 'https://…', hint: 'Only for other S3-compatible services.' },
      { name: 'access_key_id', label: 'Access key id' },
      { name: 'secret_access_key', label: 'Secret access key', kind: 'secret' },
      { name: 'role_arn', label: 'Role to assume instead of a key', placeholder: 'arn:aws:iam::…', assigned: 'external_id' },
      { name: 'prefix', label: 'Folder', placeholder: 'recount/tenant={tenant}/dt={dt}/hour={hour}' },
      { name: 'file', label: 'Files', options: ['ndjson.gz', 'parquet'] },
    ],
  },
  {
    name: 'security-lake', type: 's3', title: 'Amazon Security Lake', about: 'A custom source of your lake, as OCSF in Parquet', icon: drawIcon('M12 22s8-4 8-10V5l-8-3-8 3v7c0 6 8 10 8 10'), formats: ['ocsf-1.1.0', 'ocsf'],
    preset: { layout: 'security_lake', file: 'parquet' },
    fields: [
      { name: 'bucket', label: 'Bucket', required: true },
      { name: 'region', label: 'Region', required: true },
      { name: 'source', label: 'Custom source', required: true, placeholder: 'recount', hint: 'Its name as registered in the lake.' },
      { name: 'account_id', label: 'Account of the events', required: true },
      { name: 'role_arn', label: 'Role to assume', required: true, placeholder: 'arn:aws:iam::…', hint: 'The provider role that the lake made for the custom source.', assigned: 'external_id' },
    ],
  },
  {
    type: 'webhook', title: 'Webhook', about: 'Signed requests to an address of yours (Standard Webhooks)', icon: drawIcon('m22 2-7 20-4-9-9-4zM22 2 11 13'), formats: JSON_FORMATS,
    fields: [
      { name: 'url', label: 'Address', required: true, placeholder: 'https://…' },
      { name: 'secret', label: 'Signing secret', kind: 'secret', placeholder: 'whsec_…', hint: 'Made for you if left empty; shown once.' },
      { name: 'payload', label: 'Requests carry', options: ['batch', 'single'] },
    ],
  },
  {
    type: 'splunk', title: 'Splunk', about: 'HTTP Event Collector', icon: icon('search'), formats: ALL_FORMATS,
    fields: [
      { name: 'url', label: 'Collector', required: true, placeholder: 'https://http-inputs-acme.splunkcloud.com' },
      { name: 'token', label: 'Token', kind: 'secret', required: true },
      { name: 'index', label: 'Index', hint: 'The token’s default if left empty.' },
      { name: 'acknowledge', label: 'Wait for indexer acknowledgement', kind: 'check' },
    ],
  },
  {
    type: 'elasticsearch', title: 'Elasticsearch', about: 'Elasticsearch and OpenSearch, through _bulk', icon: drawIcon('m12 3 9 5-9 5-9-5zM3 13l9 5 9-5'), formats: JSON_FORMATS,
    fields: [
      { name: 'url', label: 'Cluster', required: true, placeholder: 'https://…:9200' },
      { name: 'index', label: 'Index', placeholder: 'recount-audit' },
      { name: 'api_key', label: 'API key', kind: 'secret' },
      { name: 'username', label: 'User', hint: 'Instead of an API key.' },
      { name: 'password', label: 'Password', kind: 'secret' },
    ],
  },
  {
    type: 'datadog', title: 'Datadog', about: 'Logs intake', icon: drawIcon('M22 12h-4l-3 9L9 3l-3 9H2'), formats: ALL_FORMATS,
    fields: [
      { name: 'site', label: 'Site', options: ['datadoghq.com', 'us3.datadoghq.com', 'us5.datadoghq.com', 'datadoghq.eu', 'ap1.datadoghq.com', 'ap2.datadoghq.com', 'ddog-gov.com'] },
      { name: 'api_key', label: 'API key', kind: 'secret', required: true },
    ],
  },
  {
    type: 'syslog', title: 'Syslog', about: 'RFC 5424 over TLS. A write is not a confirmation: syslog has none', icon: drawIcon('m4 17 6-6-6-6m8 14h8'), formats: ALL_FORMATS,
    fields: [
      { name: 'host', label: 'Host', required: true, placeholder: 'siem.example.com' },
      { name: 'port', label: 'Port', kind: 'number', placeholder: '6514' },
      { name: 'ca', label: 'Certificate authority (PEM)', kind: 'area', hint: 'Only if it is not a public one.' },
      { name: 'client_certificate', label: 'Client certificate (PEM)', kind: 'area' },
      { name: 'client_key', label: 'Client key (PEM)', kind: 'secret-area' },
    ],
  },
  {
    type: 'https', title: 'HTTPS', about: 'Batches to any HTTPS collector: Sumo Logic, Panther, New Relic, …', icon: drawIcon(`M2 12h20M12 2a15 15 0 0 1 0 20 15 15 0 0 1 0-20${circle(12, 12, 10)}`), formats: ALL_FORMATS,
    fields: [
      { name: 'url', label: 'Address', required: true, placeholder: 'https://…' },
      { name: 'method', label: 'Method', options: ['POST', 'PUT'] },
      { name: 'header', label: 'Authorization header', kind: 'secret', placeholder: 'Bearer …' },
      { name: 'body', label: 'Body', options: ['ndjson', 'array'] },
      { name: 'envelope', label: 'Envelope', placeholder: 'logs', hint: 'With an array: the member that it is put into.' },
      { name: 'envelope_in_array', label: 'Put the envelope into an array of its own', kind: 'check' },
      { name: 'compression', label: 'Compression', options: ['gzip', 'none'] },
    ],
  },
];

export const nameOf = (destination: Destination): string => destination.name ?? destination.type;

/** What kind of destination a stream's is. */
export const kindOf = (config: Readonly<Record<string, unknown>>): Destination | undefined =>
  DESTINATIONS.find(({ type, preset }) => type === config['type'] && preset && Object.entries(preset).every(([name, value]) => config[name] === value))
  ?? DESTINATIONS.find(({ type }) => type === config['type']);

/** The form's texts as the API's `destination`: empty ones left out, so that defaults hold. */
export function destinationOf(destination: Destination, data: FormData): Record<string, unknown> {
  const config: Record<string, unknown> = { type: destination.type, ...destination.preset };
  for (const { name, kind } of destination.fields) {
    const value = String(data.get(`d.${name}`) ?? '').trim();
    if (kind === 'check') config[name] = data.has(`d.${name}`);
    else if (!value) continue;
    else if (name === 'header') {
      config['headers'] = { authorization: '{secret.authorization}' };
      config['secrets'] = { authorization: value };
    } else config[name] = kind === 'number' ? Number(value) : value;
  }
  return config;
}
