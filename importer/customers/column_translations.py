"""What columns are called in German, French, Spanish, Italian, Dutch and Portuguese. Data only, as `column_names`."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = """
externalId 0.95: kundennummer, kundennr, kunden nr, kunden id, kundenid, numero client, no client, n client, id client,
    code client, reference client, numero de cliente, num cliente, id cliente, codigo cliente, codigo de cliente,
    numero cliente, codice cliente, klantnummer, klant id, klantnr, codigo do cliente, numero do cliente
externalId 0.88: mitgliedsnummer, mitgliedsnr, lidnummer, numero adherent, matricule, referenz, referenznummer

firstName 0.95: vorname, vornamen, rufname, prenom, prenoms, nombre, nombres, nombre de pila, primer nombre, voornaam,
    roepnaam, voornamen, primeiro nome, nome proprio
firstName 0.9: nome
middleName 0.95: zweiter vorname, deuxieme prenom, segundo nombre, secondo nome, tweede naam, segundo nome, nome do meio
lastName 0.95: nachname, familienname, zuname, nom de famille, apellido, apellidos, primer apellido, cognome,
    achternaam, familienaam, sobrenome, apelido, apelidos, ultimo nome
lastName 0.9: nom
(full name) 0.85: vollstandiger name, ganzer name, kundenname, kunde, nom complet, nom et prenom, prenom et nom,
    nom du client, nombre completo, nombre y apellidos, nombre del cliente, nome completo, nome e cognome,
    nome cliente, volledige naam, naam, klantnaam, klant, nome do cliente, ansprechpartner
prefix 0.95: anrede, civilite, tratamiento, aanhef, tratamento, titolo di cortesia
suffix 0.95: namenszusatz, suffixe, sufijo, suffisso, achtervoegsel, sufixo
sex 0.9: geschlecht, sexe, sexo, sesso, geslacht
gender 0.9: genre, genero, genere

primaryPhoneNumber.number 0.95: telefon, telefonnummer, telefonnr, tel nr, rufnummer, telephone principal, no telephone,
    numero de telephone, n telephone, telefono, numero de telefono, telefono principal, numero di telefono, telefoon,
    telefoonnummer, telefoonnr, telefone, numero de telefone, telefone principal
primaryPhoneNumber.number 0.93 MOBILE: handy, handynummer, mobil, mobiltelefon, mobilnummer, mobil telefon, portable,
    tel portable, telephone portable, telephone mobile, movil, telefono movil, celular, telefono celular, cellulare,
    telefono cellulare, numero cellulare, mobiel, mobiele telefoon, mobiel nummer, gsm, telemovel, telefone celular,
    telefone movel, no de celular
primaryPhoneNumber.number 0.9 WORK: telefon geschaftlich, geschaftlich telefon, telefon geschaft, telefon arbeit,
    telefon dienstlich, telephone professionnel, tel professionnel, telephone bureau, telefono trabajo,
    telefono de trabajo, telefono del trabajo, telefono oficina, telefono ufficio, telefono lavoro, telefoon werk,
    werk telefoon, telefone comercial, telefone trabalho
primaryPhoneNumber.number 0.9 HOME: telefon privat, festnetz, privat telefon, telephone domicile, telephone fixe,
    tel fixe, telefono casa, telefono fijo, telefono fisso, telefono abitazione, telefoon thuis, telefoon prive,
    vaste telefoon, telefone fixo, telefone residencial
primaryPhoneNumber.type 0.95: telefontyp, telefonart, type de telephone, tipo de telefono, tipo di telefono,
    tipo telefono, type telefoon, tipo de telefone
primaryPhoneNumber.extension 0.95: durchwahl, nebenstelle, poste telephonique, extension telefonica, interno telefonico,
    toestelnummer, ramal

primaryEmail.value 0.95: e mail adresse, email adresse, mailadresse, courriel, adresse e mail, adresse email,
    adresse mail, adresse courriel, adresse electronique, mel, correo electronico, correo, direccion de correo,
    direccion de correo electronico, direccion de email, posta elettronica, indirizzo e mail, indirizzo email,
    indirizzo mail, e mailadres, emailadres, mailadres, correio eletronico, endereco de e mail, endereco de email,
    endereco eletronico, e mail geschaftlich, e mail privat

dateOfBirth 0.95: geburtsdatum, geburtstag, geb datum, gebdatum, geboren am, date de naissance, date naissance,
    ne le, fecha de nacimiento, fecha nacimiento, f nacimiento, nacimiento, data di nascita, data nascita, nato il,
    geboortedatum, geboren op, data de nascimento, data nascimento, nascimento
placeOfBirth.city 0.95: geburtsort, lieu de naissance, ville de naissance, lugar de nacimiento, luogo di nascita,
    geboorteplaats, local de nascimento, naturalidade
placeOfBirth.countryCode 0.95: geburtsland, pays de naissance, pais de nacimiento, paese di nascita, geboorteland,
    pais de nascimento
citizenshipCountryCode 0.95: staatsangehorigkeit, staatsburgerschaft, nationalitat, nationalite, nacionalidad,
    ciudadania, nazionalita, cittadinanza, nationaliteit, nacionalidade, cidadania

businessName 0.85: firma, firmenname, unternehmen, unternehmensname, societe, entreprise, nom de l entreprise,
    nom de la societe, empresa, nombre de la empresa, compania, azienda, nome azienda, ditta, societa, bedrijf,
    bedrijfsnaam, nome da empresa
legalName 0.98: raison sociale, razon social, ragione sociale, razao social, statutaire naam, firmierung
website 0.95: webseite, internetseite, site web, site internet, sitio web, pagina web, sito web, sito internet,
    webpagina
taxId 0.95: steuernummer, ust idnr, ust id, umsatzsteuer id, numero de tva, n tva, siret, siren, nif, cif,
    numero de identificacion fiscal, partita iva, p iva, codice fiscale azienda, btw nummer, btw nr, kvk nummer,
    cnpj, nipc
"""
"""As `column_names.NAMES`."""


@dataclass(frozen=True, slots=True)
class AddressTerms:
    """What one language calls addresses and their parts.

    Args:
        words: as `column_names.ADDRESS_WORDS`; also found behind the name (`Ville de livraison`).
        links: what joins a name and the word behind it.
        names: as `column_names.ADDRESS_NAMES`.
        number_first: whether the house number is before the street, as it does in English.
    """

    words: str
    links: tuple[str, ...]
    names: str
    number_first: bool = False


ADDRESSES = (
    AddressTerms(  # German
        words="""
mailing 0.95: anschrift, postanschrift, adresse
mailing 0.9: rechnungsadresse, rechnungsanschrift, rechnung, rechnungs
physical 0.92: privatadresse, privat, wohnsitz
physical 0.88: geschaftlich, firmenadresse, firma
shipping 0.95: lieferadresse, lieferanschrift, liefer, lieferung
""",
        links=("",),
        names="""
streetLine1 1: strasse, str, strasse und hausnummer, strasse hausnummer, strasse hausnr, strasse nr, anschrift,
    adresszeile 1, zeile 1
(house number) 1: hausnummer, hausnr, haus nr
streetLine2 1: adresszusatz, adresszeile 2, zusatz, zeile 2
apartmentNumber 1: wohnung, wohnungsnummer
cityName 1: ort, stadt, wohnort, gemeinde
stateCode 1: bundesland, kanton
countryCode 1: land, staat, landercode, landeskennzeichen
zipCode 1: plz, postleitzahl
""",
    ),
    AddressTerms(  # French
        words="""
mailing 0.95: adresse, adresse postale
mailing 0.9: adresse de facturation, facturation
physical 0.92: domicile, adresse du domicile
physical 0.88: siege social
shipping 0.95: adresse de livraison, livraison
""",
        links=("", "de", "du"),
        names="""
streetLine1 1: rue, adresse, adresse ligne 1, ligne 1, adresse 1, voie, n et rue, numero et rue
(house number) 1: numero de rue, numero de voie
streetLine2 1: complement d adresse, complement adresse, adresse ligne 2, ligne 2, adresse 2
apartmentNumber 1: appartement, no appartement
cityName 1: ville, commune, localite
stateCode 1: departement, region
countryCode 1: pays, code pays
zipCode 1: code postal, cp
""",
        number_first=True,
    ),
    AddressTerms(  # Spanish
        words="""
mailing 0.95: direccion, direccion postal
mailing 0.9: direccion de facturacion, facturacion
physical 0.92: domicilio, residencia
physical 0.88: domicilio social
shipping 0.95: direccion de envio, envio, direccion de entrega, entrega
""",
        links=("", "de"),
        names="""
streetLine1 1: calle, calle y numero, direccion, direccion 1, linea 1, domicilio
(house number) 1: numero exterior, numero de calle
streetLine2 1: direccion 2, linea 2, complemento
apartmentNumber 1: piso, apartamento, numero interior
cityName 1: ciudad, poblacion, localidad, municipio
stateCode 1: provincia, estado, comunidad autonoma
countryCode 1: pais, codigo de pais, codigo pais
zipCode 1: codigo postal, cp, c p
""",
    ),
    AddressTerms(  # Italian
        words="""
mailing 0.95: indirizzo, indirizzo postale
mailing 0.9: indirizzo di fatturazione, fatturazione
physical 0.92: residenza, domicilio
physical 0.88: sede legale, sede
shipping 0.95: indirizzo di spedizione, spedizione, indirizzo di consegna, consegna
""",
        links=("", "di"),
        names="""
streetLine1 1: via, indirizzo, via e numero, indirizzo 1, riga 1
(house number) 1: numero civico, civico, n civico
streetLine2 1: indirizzo 2, riga 2
apartmentNumber 1: interno, appartamento
cityName 1: citta, comune, localita
stateCode 1: provincia, regione, prov
countryCode 1: paese, nazione, codice paese
zipCode 1: cap, codice postale, codice di avviamento postale
""",
    ),
    AddressTerms(  # Dutch
        words="""
mailing 0.95: adres, postadres
mailing 0.9: factuuradres, factuur
physical 0.92: huisadres, woonadres, thuis
physical 0.88: vestigingsadres, zakelijk
shipping 0.95: verzendadres, afleveradres, bezorgadres, levering
""",
        links=("", "van"),
        names="""
streetLine1 1: straat, straatnaam, straat en huisnummer, straat huisnummer, adres, adresregel 1
(house number) 1: huisnummer, huisnr
streetLine2 1: adresregel 2, toevoeging
cityName 1: plaats, woonplaats, stad, gemeente
stateCode 1: provincie
countryCode 1: land, landcode
zipCode 1: postcode
""",
    ),
    AddressTerms(  # Portuguese
        words="""
mailing 0.95: endereco, morada
mailing 0.9: endereco de cobranca, cobranca, endereco de faturacao, faturacao, faturamento
physical 0.92: residencia
physical 0.88: sede
shipping 0.95: endereco de entrega, endereco de envio, entrega, envio
""",
        links=("", "de", "da"),
        names="""
streetLine1 1: rua, endereco, logradouro, morada, endereco 1
(house number) 1: numero da porta, numero da casa
streetLine2 1: complemento, endereco 2
apartmentNumber 1: apartamento
cityName 1: cidade, municipio, concelho, localidade
stateCode 1: estado, uf, distrito
countryCode 1: pais, codigo do pais
zipCode 1: cep, codigo postal
""",
    ),
)

LIMITS = """
single 0.95: transaktionslimit, limite par transaction, limite por transaccion, limite per transazione,
    transactielimiet, limite por transacao
daily 0.95: tageslimit, plafond journalier, limite journaliere, limite diario, limite giornaliero, daglimiet
weekly 0.95: wochenlimit, plafond hebdomadaire, limite hebdomadaire, limite semanal, limite settimanale, weeklimiet
monthly 0.95: monatslimit, plafond mensuel, limite mensuelle, limite mensual, limite mensal, limite mensile, maandlimiet
"""
"""As `step_column_names.LIMITS`."""

NOT_OURS = """
faxnummer, telefax, telecopie, telecopieur, numero de fax, numero di fax, titel, abteilung, position, funktion, beruf,
bemerkung, bemerkungen, notizen, notiz, kommentar, remarque, remarques, commentaire, commentaires, observaciones, notas,
osservazioni, opmerkingen, opmerking, observacoes, statut, estado civil, stato civile, familienstand, burgerlijke staat,
etat civil, land der rechnung, sprache, langue, idioma, lingua, taal, erstellt am, geandert am, cree le, modifie le,
fecha de alta, fecha de creacion, creato il, aangemaakt op, criado em, data de cadastro, iban, bic, kontonummer, bank
"""
"""As `column_names.NOT_OURS`."""
