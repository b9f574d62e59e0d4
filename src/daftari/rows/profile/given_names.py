"""Given names that are common in East Africa and among those who deal with it, to recognise a column of names."""

_WORDS = """
abdi abdul abdullah abel abigail achieng adam adan adhiambo agnes ahmed aisha akinyi alex alexander alfred ali alice
allan amani amina amos amy andrew angela ann anna anne anthony anyango asha atieno auma awino barack baraka barasa
beatrice benard benjamin bernard betty boniface brenda brian bridget bwire calvin caroline catherine charity charles
chebet chelangat chepkemoi chepkoech cheptoo cherono cheruiyot christine christopher clara clement collins cynthia
daniel david deborah denis dennis diana dominic dorcas doris douglas duncan edith edward edwin elijah elizabeth
emily emma emmanuel ephraim eric ernest esther eunice eva evans evelyn ezekiel faith farah fatma fatuma felister
felix festus fiona florence frances francis frank fred frederick gabriel geoffrey george gerald gideon gilbert
gladys godfrey grace hadija halima hamisi hannah harrison harry hassan helen hellen henry hillary hussein ian
ibrahim imani irene isaac isaiah ismail jacinta jackline jackson jacob jamal james jan jane janet jared jason jean
jecinta jemimah jennifer jeremiah jerop jesse joan joanna john johnson jonathan joseph josephine joshua joyce juan
judith julia juliet julius juma justus kamau karen katarzyna kennedy kevin khadija kibet kimani kinyua kipchoge
kipkemboi kiplagat kiprono kiptoo kirui koech kofi kwame lawrence leah leonard lilian linda linet lucy luke lydia
magdalene maina margaret maria mariam marion mark martha martin mary maryam mathew matthew maureen maurice mercy
mercyline michael michelle millicent mohamed mohammed monica moses mumbi muriithi musa muthoni mutua mwanaisha
mwangi mwende mwikali nafula nancy naomi nathan neema nekesa nelson ngugi nicholas njambi njeri njeru njoki njoroge
nyambura nyokabi ochieng odhiambo ogutu okello okoth omar omari omondi onyango opiyo otieno ouma owino owuor pamela
patience patricia patrick paul pauline peninah peris peter philip philomena phoebe phyllis piotr priscilla purity
rachel rahma rajab ramadhan raymond rebecca regina rehema richard robert roberta rodgers ronald rosa rose rosemary
roy ruth saida salim salome sam samson samuel sandra sara sarah selina shadrack sharon sheila silas simon solomon
sophia stacy stanley stella stephanie stephen steve steven susan sylvia tabitha teresa thomas timothy titus tom tony
tracy valentine vera veronica victor victoria vincent violet virginia wafula wairimu walter wambui wangari wangui
wanjala wanjiku wanjiru wekesa wesley wilfred william wilson winfred winnie wycliffe yusuf yvonne zainab zakaria
zawadi zipporah zuhura
"""

GIVEN_NAMES = frozenset(_WORDS.split())
