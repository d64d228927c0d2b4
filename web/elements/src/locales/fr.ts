/**
 * French. Its keys are the English texts, and the list of all texts there are: adding one anywhere
 * without a line here does not compile. `one|other` texts carry both forms in both languages.
 */
import { frPages } from './fr-pages.js';

export const fr = {
  ...frPages,
  // Fields of the filter language
  actor: 'acteur', action: 'action', target: 'cible', outcome: 'résultat', 'IP address': 'Adresse IP', source: 'source',
  'actor id': 'identifiant de l’acteur', 'actor type': 'type d’acteur', 'actor name': 'nom de l’acteur', 'actor email': 'e-mail de l’acteur',
  'target id': 'identifiant de la cible', 'target type': 'type de cible', 'target name': 'nom de la cible', location: 'lieu',
  'user agent': 'navigateur', 'session id': 'identifiant de session', 'request id': 'identifiant de requête', description: 'description',
  reason: 'motif', 'changed field': 'champ modifié', 'event id': 'identifiant d’événement',
  // Columns and members
  Time: 'Heure', Actor: 'Acteur', Action: 'Action', Target: 'Cible', Outcome: 'Résultat', Source: 'Source', Location: 'Lieu',
  Description: 'Description', 'Event id': 'Identifiant', Email: 'E-mail', 'Actor id': 'Identifiant', 'Actor type': 'Type d’acteur',
  'User agent': 'Navigateur', 'Session id': 'Session', 'Request id': 'Requête', Reason: 'Motif', Received: 'Reçu', Tags: 'Étiquettes',
  Metadata: 'Métadonnées', 'Actor details': 'Détails de l’acteur', '{name}: details': '{name} : détails',
  Success: 'Réussi', Failed: 'Échoué', Denied: 'Refusé', 'Vendor staff': 'Personnel de l’éditeur',
  // Verbs that end an action's name
  'verb.created': 'a créé', 'verb.added': 'a ajouté', 'verb.updated': 'a modifié', 'verb.changed': 'a modifié', 'verb.deleted': 'a supprimé',
  'verb.removed': 'a retiré', 'verb.invited': 'a invité', 'verb.revoked': 'a révoqué', 'verb.rotated': 'a renouvelé', 'verb.viewed': 'a consulté',
  'verb.exported': 'a exporté', 'verb.enabled': 'a activé', 'verb.disabled': 'a désactivé', 'verb.granted': 'a accordé', 'verb.shared': 'a partagé',
  'verb.uploaded': 'a déposé', 'verb.downloaded': 'a téléchargé', 'verb.renamed': 'a renommé', 'verb.assigned': 'a attribué', 'verb.approved': 'a approuvé',
  '{actor} {verb} {type} “{target}”': '{actor} {verb} {type} « {target} »', '{action} on “{target}” by {actor}': '{action} sur « {target} » par {actor}',
  '{action} by {actor}': '{action} par {actor}',
  // Filter
  'Filter events': 'Filtrer les événements', 'Add a filter…': 'Ajouter un filtre…', 'Filter by actor, action, target, IP…': 'Filtrer par acteur, action, cible, IP…',
  Clear: 'Effacer', Suggestions: 'Suggestions', is: 'est', 'is not': 'n’est pas', with: 'avec', without: 'sans', Edit: 'Modifier',
  'Switch between is and is not': 'Basculer entre est et n’est pas', 'Remove filter {name}': 'Retirer le filtre {name}',
  '“{token}” names no field. Fields: {fields}, metadata.…, tags.…. To search for the text itself, put it in quotes.':
    '« {token} » ne désigne aucun champ. Champs : {fields}, metadata.…, tags.…. Pour chercher ce texte, mettez-le entre guillemets.',
  'The quote in “{token}” is not closed.': 'Le guillemet de « {token} » n’est pas fermé.', '“{token}” has no value.': '« {token} » n’a pas de valeur.',
  'Filter or copy {value}': 'Filtrer ou copier {value}', 'Filter for this': 'Ne garder que ceci', 'Filter out': 'Exclure', 'Copy value': 'Copier la valeur', 'Since then': 'À partir de là', 'Until then': 'Jusque-là',
  // Time
  'Last 15 minutes': '15 dernières minutes', 'Last hour': 'Dernière heure', 'Last 24 hours': 'Dernières 24 heures', Today: 'Aujourd’hui', Yesterday: 'Hier',
  'Last 7 days': '7 derniers jours', 'Last 30 days': '30 derniers jours', 'Last 90 days': '90 derniers jours', 'All time': 'Depuis le début',
  all: 'tout', today: 'aujourd’hui', yesterday: 'hier', 'Last {time}': 'Dernière période : {time}', 'Until {time}': 'Jusqu’au {time}', 'Since {time}': 'Depuis le {time}',
  'The range ends before it starts.': 'La période se termine avant son début.',
  'Not a range of time. Try 15m, 24h, 7d, yesterday, 2026-11-01 or 2026-11-01..2026-11-07.': 'Ce n’est pas une période. Essayez 15m, 24h, 7d, hier, 2026-11-01 ou 2026-11-01..2026-11-07.',
  '15m · 7d · yesterday · 2026-11-01..2026-11-07': '15m · 7d · hier · 2026-11-01..2026-11-07',
  'Time range': 'Période', Range: 'Période', Presets: 'Périodes courantes', From: 'De', To: 'À', Apply: 'Appliquer', 'Time zone': 'Fuseau horaire',
  'Local time ({zone})': 'Heure locale ({zone})', 'The range could not be read; showing the last 30 days.': 'La période est illisible ; voici les 30 derniers jours.',
  // Histogram
  'Events over time': 'Événements dans le temps', 'No events in this range': 'Aucun événement dans cette période', Events: 'Événements',
  'Arrow keys choose a bar, with Shift a range, Enter zooms in, Escape zooms out.': 'Les flèches choisissent une barre, avec Maj une plage, Entrée agrandit, Échap revient.',
  '{n} event|{n} events': '{n} événement|{n} événements', '{n} failed|{n} failed': '{n} en échec|{n} en échec', '{n} denied|{n} denied': '{n} refusé|{n} refusés', 'Zoom out': 'Revenir',
  // Counts and tools
  '{count} event matches|{count} events match': '{count} événement correspond|{count} événements correspondent', '{count} event|{count} events': '{count} événement|{count} événements',
  'of {count} in range': 'sur {count} dans la période', 'about {n}': 'environ {n}', Reload: 'Recharger', 'Copy link': 'Copier le lien', Copied: 'Copié', Copy: 'Copier',
  Columns: 'Colonnes', 'Compact rows': 'Lignes compactes', Keyboard: 'Clavier', Live: 'Direct', 'Reconnecting…': 'Reconnexion…', Add: 'Ajouter',
  '{n} new|{n} new': '{n} nouveau|{n} nouveaux', 'A column of metadata or tags': 'Une colonne de métadonnées ou d’étiquettes', 'Newest first': 'Les plus récents d’abord', 'Oldest first': 'Les plus anciens d’abord',
  'newest first': 'les plus récents d’abord', 'oldest first': 'les plus anciens d’abord', 'The end: {n} event|The end: {n} events': 'Fin : {n} événement|Fin : {n} événements',
  'Counts cover events since {time}; the search would have to read too much to count the rest. Narrow the range or the filter for exact counts.':
    'Les totaux couvrent les événements depuis le {time} ; compter le reste demanderait de trop lire. Réduisez la période ou le filtre pour des totaux exacts.',
  'Counts are approximate. Narrow the range or the filter for exact ones.': 'Les totaux sont approximatifs. Réduisez la période ou le filtre pour des totaux exacts.',
  'More rows could not be loaded.': 'La suite n’a pas pu être chargée.',
  // Details
  'Event details': 'Détails de l’événement', 'Previous event': 'Événement précédent', 'Next event': 'Événement suivant', Close: 'Fermer', '{i} of {n}': '{i} sur {n}',
  Overview: 'Aperçu', Related: 'Liés', JSON: 'JSON', 'This event is outside the current filter or range.': 'Cet événement est hors du filtre ou de la période.',
  'Changes · {n} field|Changes · {n} fields': 'Changements · {n} champ|Changements · {n} champs', 'changed, value hidden': 'modifié, valeur masquée',
  'Who and where': 'Qui et où', What: 'Quoi', Record: 'Enregistrement', 'Same actor, 10 minutes around': 'Même acteur, à 10 minutes près', 'Same target: {name}': 'Même cible : {name}',
  'Same request': 'Même requête', 'Same session': 'Même session', 'Show in list': 'Voir dans la liste', 'Loading…': 'Chargement…', 'Could not be loaded.': 'Chargement impossible.',
  'No other events.': 'Aucun autre événement.', 'No such event': 'Événement introuvable', 'The link names an event that is not in this log.': 'Le lien désigne un événement absent de ce journal.',
  // States
  'No events match': 'Aucun événement ne correspond', 'Looking for what keeps them away…': 'Recherche de ce qui les écarte…', 'Without one of these there are some:': 'Sans l’une de ces conditions, il y en a :',
  'No single condition is to blame; clear the filter to start over.': 'Aucune condition seule n’est en cause ; effacez le filtre pour recommencer.', 'Clear the filter': 'Effacer le filtre',
  'No events yet': 'Pas encore d’événement', 'Show what this portal recorded': 'Voir ce que ce portail a enregistré',
  'Events appear here moments after they happen: sign-ins, changes of roles and settings, exports. Turn on Live to watch the first one arrive.':
    'Les événements apparaissent ici dès qu’ils ont lieu : connexions, changements de rôles et de réglages, exports. Activez Direct pour voir arriver le premier.',
  'The server can’t be reached': 'Le serveur est injoignable', 'Check the connection; nothing was lost.': 'Vérifiez la connexion ; rien n’est perdu.',
  'You are offline. This page continues by itself when the connection is back.': 'Vous êtes hors ligne. La page reprendra d’elle-même au retour de la connexion.',
  'You are offline. This is what was loaded before.': 'Vous êtes hors ligne. Voici ce qui était déjà chargé.',
  'Your session has ended': 'Votre session a pris fin', 'Your filters are kept. Reload the session to go on.': 'Vos filtres sont conservés. Rechargez la session pour continuer.', 'Reload session': 'Recharger la session',
  'No right to see this': 'Accès non autorisé', 'Your session does not include it. Ask whoever gave you the link.': 'Votre session ne le permet pas. Adressez-vous à qui vous a donné le lien.',
  'This search is too broad': 'Cette recherche est trop large', 'This could not be loaded': 'Chargement impossible', 'Error id': 'Identifiant de l’erreur', 'Try again': 'Réessayer',
  // Export
  'Export events': 'Exporter les événements', Export: 'Exporter', 'Exporting…': 'Export en cours…', Rows: 'Lignes', Filter: 'Filtrer', 'none: all events': 'aucun : tous les événements', Format: 'Format',
  'The columns of the view, for spreadsheets. Cells that look like formulas are escaped.': 'Les colonnes de la vue, pour tableur. Les cellules qui ressemblent à des formules sont neutralisées.',
  'All events': 'Tous les événements',
  'Whole events, one per line, exactly as recorded.': 'Les événements entiers, un par ligne, tels qu’enregistrés.', 'The same, compressed.': 'La même chose, compressée.',
  'Exports of more than {n} rows are prepared on the server; the file stays on the Exports page.': 'Au-delà de {n} lignes, l’export est préparé sur le serveur ; le fichier reste à la page Exports.',
  Progress: 'Avancement', '{done} of {n} rows': '{done} lignes sur {n}', 'Exported. The file is among your downloads.': 'Exporté. Le fichier est dans vos téléchargements.', Cancel: 'Annuler',
  // Saved views
  Views: 'Vues', 'Saved views': 'Vues enregistrées', 'My views': 'Mes vues', 'Shared views': 'Vues partagées', 'Changed since it was saved': 'Modifiée depuis son enregistrement',
  'Save changes to “{name}”': 'Enregistrer dans « {name} »', 'Discard changes': 'Abandonner les changements', 'Save this view…': 'Enregistrer cette vue…', 'Save this view': 'Enregistrer cette vue',
  'Start with “{name}”': 'Commencer par « {name} »', 'Start with this view': 'Commencer par cette vue', 'Delete “{name}”': 'Supprimer « {name} »', 'Delete “{name}”?': 'Supprimer « {name} » ?', Delete: 'Supprimer',
  'No saved views yet. A view keeps filter, range, zone, order and columns.': 'Aucune vue enregistrée. Une vue garde filtre, période, fuseau, ordre et colonnes.',
  Name: 'Nom', 'Share with everyone in this organisation': 'Partager avec toute l’organisation', Save: 'Enregistrer',
  // Keys
  'Switch between local time and UTC': 'Basculer entre heure locale et UTC', 'Live on or off': 'Direct ou non', 'Previous or next event': 'Événement précédent ou suivant',
  'Open the event': 'Ouvrir l’événement', 'Close, or zoom out': 'Fermer, ou revenir', 'Move between cells': 'Passer d’une cellule à l’autre',
  'On a cell: filter for, filter out, copy': 'Sur une cellule : garder, exclure, copier', 'Copy the link of the open event': 'Copier le lien de l’événement ouvert', 'This list': 'Cette liste', 'Single-key shortcuts': 'Raccourcis à une touche',
  'Off, letters do nothing outside of the list; arrows, Enter and Esc stay.': 'Sans eux, les lettres ne font rien hors de la liste ; flèches, Entrée et Échap restent.',
} as const satisfies Record<string, string>;
